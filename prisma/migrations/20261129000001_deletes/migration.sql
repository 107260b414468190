-- What is deleted is marked and out of sight; the deletes worker takes away what hangs on it.
ALTER TABLE "projects" ADD COLUMN     "deletedAt" TIMESTAMPTZ(3);
ALTER TABLE "tasks" ADD COLUMN     "deletedAt" TIMESTAMPTZ(3);
ALTER TABLE "webhooks" ADD COLUMN     "deletedAt" TIMESTAMPTZ(3);
