ALTER TABLE "job_attempts" ADD COLUMN "worker" INTEGER;
CREATE INDEX "job_attempts_worker" ON "job_attempts"("worker") WHERE "attempts" > 0;
