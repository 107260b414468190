-- AlterTable
ALTER TABLE "delivery_attempts" ADD COLUMN     "requestHeaders" JSONB,
ADD COLUMN     "responseHeaders" JSONB;

-- AlterTable
ALTER TABLE "webhooks" ADD COLUMN     "basicAuth" TEXT,
ADD COLUMN     "headers" TEXT,
ADD COLUMN     "verifyTls" BOOLEAN NOT NULL DEFAULT true;
