-- CreateEnum
CREATE TYPE "JobRunOutcome" AS ENUM ('SUCCEEDED', 'FAILED', 'CANCELLED');

-- AlterTable
ALTER TABLE "job_attempts" ADD COLUMN     "data" JSONB,
ADD COLUMN     "projectId" TEXT,
ADD COLUMN     "replayedAt" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "job_runs" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "job" TEXT NOT NULL,
    "attempt" INTEGER NOT NULL,
    "outcome" "JobRunOutcome" NOT NULL,
    "error" TEXT,
    "worker" INTEGER,
    "startedAt" TIMESTAMPTZ(3) NOT NULL,
    "finishedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "job_runs_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "job_runs_projectId_id_idx" ON "job_runs"("projectId", "id");

-- CreateIndex
CREATE INDEX "job_runs_projectId_job_id_idx" ON "job_runs"("projectId", "job", "id");

-- CreateIndex
CREATE INDEX "job_runs_finishedAt_idx" ON "job_runs"("finishedAt");

-- CreateIndex
CREATE INDEX "job_attempts_projectId_job_idx" ON "job_attempts"("projectId", "job");

-- CreateIndex
CREATE INDEX "job_attempts_replayedAt_idx" ON "job_attempts"("replayedAt");
