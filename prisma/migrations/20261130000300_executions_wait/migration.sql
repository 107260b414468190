-- How many executions of a project wait that were asked for is looked up for each more. Runs that somebody waits for are not in it.
create index executions_wait on executions ("projectId") where status = 'PENDING' and "isAsync" and trigger = 'API';
