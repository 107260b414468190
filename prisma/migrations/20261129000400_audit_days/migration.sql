-- AlterTable
ALTER TABLE "projects" ADD COLUMN     "auditDays" INTEGER NOT NULL DEFAULT 14;

-- DropIndex
DROP INDEX "audits_projectId_resource_seq_idx";

-- CreateIndex, for what begins with a text too; Prisma does not see the difference
CREATE INDEX "audits_projectId_resource_seq_idx" ON "audits"("projectId", "resource" text_pattern_ops, "seq");
