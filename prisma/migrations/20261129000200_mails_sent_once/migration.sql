-- AlterTable
ALTER TABLE "mails" ADD COLUMN     "claimedAt" TIMESTAMPTZ(3),
ADD COLUMN     "payload" JSONB NOT NULL DEFAULT '{}';

-- Those that wait still had what the event said in their jobs.
UPDATE "mails" m SET "payload" = a."payload" FROM "audits" a WHERE a."id" = m."eventId" AND m."status" = 'PENDING';

-- CreateIndex
CREATE INDEX "mails_projectId_recipient_createdAt_idx" ON "mails"("projectId", "recipient", "createdAt");

-- CreateIndex
CREATE INDEX "mails_projectId_sentAt_idx" ON "mails"("projectId", "sentAt");
