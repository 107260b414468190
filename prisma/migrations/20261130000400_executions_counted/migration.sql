-- Those of a project that are deleted by their number. Without it the whole table was read for each step, every ten minutes.
create index executions_counted on executions ("projectId", "createdAt") where key is null;
