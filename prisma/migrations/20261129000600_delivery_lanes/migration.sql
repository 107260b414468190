-- AlterTable
ALTER TABLE "deliveries" ADD COLUMN     "seriesFrom" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "trace" TEXT;

-- CreateIndex
CREATE INDEX "deliveries_webhookId_status_nextAttemptAt_idx" ON "deliveries"("webhookId", "status", "nextAttemptAt");
