-- CreateEnum
CREATE TYPE "UsagePeriod" AS ENUM ('HOUR', 'DAY');

-- CreateTable
CREATE TABLE "usage" (
    "projectId" TEXT NOT NULL,
    "metric" TEXT NOT NULL,
    "period" "UsagePeriod" NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "value" BIGINT NOT NULL,

    CONSTRAINT "usage_pkey" PRIMARY KEY ("projectId","period","metric","at")
);

-- CreateIndex
CREATE INDEX "usage_period_at_idx" ON "usage"("period", "at");

-- The row of the current hour is written every few seconds: its next version finds room beside it.
ALTER TABLE "usage" SET (fillfactor = 50);
