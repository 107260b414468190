-- What collections and attributes are said to be for, by those who define them. A column without a default rewrites no table.
ALTER TABLE "collections" ADD COLUMN "description" TEXT;
ALTER TABLE "attributes" ADD COLUMN "description" TEXT;
