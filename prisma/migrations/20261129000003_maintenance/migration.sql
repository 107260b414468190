-- What is old in a table that only grows lies together: an index of a few pages finds it.
CREATE INDEX "audits_at_idx" ON "audits" USING BRIN ("at");
