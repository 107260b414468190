-- Every statement that reads documents names it, for answers that are too large: it is no reason not to read in parallel.
ALTER FUNCTION documents.refuse(text) PARALLEL SAFE;
