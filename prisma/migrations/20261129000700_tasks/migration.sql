-- CreateEnum
CREATE TYPE "TaskMisfire" AS ENUM ('SKIP', 'RUN_ONCE', 'RUN_ALL');

-- CreateEnum
CREATE TYPE "TaskOverlap" AS ENUM ('ALLOW', 'SKIP');

-- AlterEnum

ALTER TYPE "TaskRunStatus" ADD VALUE 'SKIPPED';
ALTER TYPE "TaskRunStatus" ADD VALUE 'CANCELLED';

-- AlterTable
ALTER TABLE "task_runs" ADD COLUMN     "responseHeaders" JSONB;

-- AlterTable
ALTER TABLE "tasks" ADD COLUMN     "basicAuth" TEXT,
ADD COLUMN     "failingSince" TIMESTAMPTZ(3),
ADD COLUMN     "misfire" "TaskMisfire" NOT NULL DEFAULT 'RUN_ONCE',
ADD COLUMN     "overlap" "TaskOverlap" NOT NULL DEFAULT 'ALLOW',
ADD COLUMN     "timeoutMs" INTEGER NOT NULL DEFAULT 30000,
ADD COLUMN     "verifyTls" BOOLEAN NOT NULL DEFAULT true;
