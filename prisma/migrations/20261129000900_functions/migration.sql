-- CreateEnum
CREATE TYPE "DeploymentStatus" AS ENUM ('UPLOADING', 'WAITING', 'BUILDING', 'READY', 'FAILED');

-- CreateEnum
CREATE TYPE "DeploymentPartKind" AS ENUM ('SOURCE', 'ARTEFACT');

-- CreateEnum
CREATE TYPE "ExecutionStatus" AS ENUM ('WAITING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED');

-- CreateEnum
CREATE TYPE "ExecutionTrigger" AS ENUM ('API', 'HTTP', 'EVENT', 'SCHEDULE', 'HOOK');

-- CreateEnum
CREATE TYPE "FunctionIdentity" AS ENUM ('CALLER', 'FUNCTION');

-- CreateTable
CREATE TABLE "deployments" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "functionId" TEXT NOT NULL,
    "status" "DeploymentStatus" NOT NULL DEFAULT 'UPLOADING',
    "runtime" TEXT NOT NULL,
    "entrypoint" TEXT NOT NULL,
    "buildCommand" TEXT,
    "activate" BOOLEAN NOT NULL DEFAULT true,
    "sourceBytes" INTEGER NOT NULL DEFAULT 0,
    "sourceHash" TEXT,
    "artefactBytes" INTEGER NOT NULL DEFAULT 0,
    "artefactHash" TEXT,
    "buildLog" TEXT NOT NULL DEFAULT '',
    "error" TEXT,
    "buildMs" INTEGER,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deployments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "deployment_parts" (
    "deploymentId" TEXT NOT NULL,
    "kind" "DeploymentPartKind" NOT NULL,
    "number" INTEGER NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "deployment_parts_pkey" PRIMARY KEY ("deploymentId","kind","number")
);

-- CreateTable
CREATE TABLE "executions" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "functionId" TEXT NOT NULL,
    "deploymentId" TEXT,
    "trigger" "ExecutionTrigger" NOT NULL,
    "key" TEXT,
    "status" "ExecutionStatus" NOT NULL DEFAULT 'WAITING',
    "actorKind" TEXT NOT NULL,
    "actorId" TEXT,
    "depth" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "method" TEXT NOT NULL DEFAULT 'POST',
    "url" TEXT NOT NULL DEFAULT '/',
    "requestHeaders" JSONB NOT NULL DEFAULT '{}',
    "requestBody" BYTEA,
    "responseStatus" INTEGER,
    "responseHeaders" JSONB,
    "responseBody" TEXT,
    "failure" TEXT,
    "error" TEXT,
    "logs" JSONB NOT NULL DEFAULT '[]',
    "durationMs" INTEGER,
    "memoryBytes" BIGINT,
    "isCold" BOOLEAN,
    "scheduledAt" TIMESTAMPTZ(3),
    "startedAt" TIMESTAMPTZ(3),
    "finishedAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "executions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "functions" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "runtime" TEXT NOT NULL,
    "entrypoint" TEXT NOT NULL,
    "execute" TEXT[],
    "scopes" TEXT[],
    "runAs" "FunctionIdentity" NOT NULL DEFAULT 'CALLER',
    "events" TEXT[],
    "schedule" TEXT,
    "timeZone" TEXT NOT NULL DEFAULT 'UTC',
    "hooks" JSONB NOT NULL DEFAULT '[]',
    "timeoutMs" INTEGER NOT NULL DEFAULT 15000,
    "memoryMb" INTEGER NOT NULL DEFAULT 128,
    "isTrusted" BOOLEAN NOT NULL DEFAULT false,
    "maxAttempts" INTEGER NOT NULL DEFAULT 3,
    "retryAfterMs" INTEGER NOT NULL DEFAULT 10000,
    "logging" BOOLEAN NOT NULL DEFAULT true,
    "enabled" BOOLEAN NOT NULL DEFAULT true,
    "deploymentId" TEXT,
    "nextRunAt" TIMESTAMPTZ(3),
    "previousRunAt" TIMESTAMPTZ(3),
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,
    "deletedAt" TIMESTAMPTZ(3),

    CONSTRAINT "functions_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "variables" (
    "id" TEXT NOT NULL,
    "projectId" TEXT NOT NULL,
    "functionId" TEXT,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "variables_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "deployments_functionId_createdAt_idx" ON "deployments"("functionId", "createdAt");

-- CreateIndex
CREATE INDEX "deployments_status_updatedAt_idx" ON "deployments"("status", "updatedAt");

-- CreateIndex
CREATE INDEX "executions_functionId_createdAt_idx" ON "executions"("functionId", "createdAt");

-- CreateIndex
CREATE INDEX "executions_status_createdAt_idx" ON "executions"("status", "createdAt");

-- CreateIndex
CREATE INDEX "executions_projectId_createdAt_idx" ON "executions"("projectId", "createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "executions_functionId_key_key" ON "executions"("functionId", "key");

-- CreateIndex
CREATE INDEX "functions_projectId_idx" ON "functions"("projectId");

-- CreateIndex
CREATE INDEX "functions_nextRunAt_idx" ON "functions"("nextRunAt");

-- CreateIndex
CREATE UNIQUE INDEX "variables_projectId_functionId_key_key" ON "variables"("projectId", "functionId", "key") NULLS NOT DISTINCT;

-- AddForeignKey
ALTER TABLE "deployments" ADD CONSTRAINT "deployments_functionId_fkey" FOREIGN KEY ("functionId") REFERENCES "functions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "deployment_parts" ADD CONSTRAINT "deployment_parts_deploymentId_fkey" FOREIGN KEY ("deploymentId") REFERENCES "deployments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "executions" ADD CONSTRAINT "executions_functionId_fkey" FOREIGN KEY ("functionId") REFERENCES "functions"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "functions" ADD CONSTRAINT "functions_projectId_fkey" FOREIGN KEY ("projectId") REFERENCES "projects"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "variables" ADD CONSTRAINT "variables_functionId_fkey" FOREIGN KEY ("functionId") REFERENCES "functions"("id") ON DELETE CASCADE ON UPDATE CASCADE;
