ALTER TABLE "schema_versions" ADD COLUMN "id" TEXT NOT NULL DEFAULT ('ver_'::text || replace((gen_random_uuid())::text, '-'::text, ''::text));
ALTER TABLE "schema_versions" DROP CONSTRAINT "schema_versions_pkey";
ALTER TABLE "schema_versions" ADD CONSTRAINT "schema_versions_pkey" PRIMARY KEY ("id");
CREATE UNIQUE INDEX "schema_versions_projectId_name_key" ON "schema_versions"("projectId", "name");
