-- A collection that is deleted is gone at once. An attribute of another one that points at it, and is being deleted too,
-- stays until its column is dropped.
ALTER TABLE "attributes" DROP CONSTRAINT "attributes_relatedCollectionId_fkey";
ALTER TABLE "attributes" ADD CONSTRAINT "attributes_relatedCollectionId_fkey" FOREIGN KEY ("relatedCollectionId") REFERENCES "collections"("id") ON DELETE SET NULL ON UPDATE CASCADE;

-- Those that were being deleted: the databases worker drops tables without a row.
DELETE FROM "collections" WHERE "status" = 'DELETING';
