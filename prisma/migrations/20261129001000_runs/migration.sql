-- Which run of a function an event came from: what it leads to knows how deep it is.
alter table events.outbox add column "executionId" text;
alter table events.log add column "executionId" text;

-- The tokens of runs are as good as their function is; what functions run with is remembered as callers are.
create index outbox_remembered on events.outbox (position) where type ~ '^(users|sessions|keys|members|projects|functions|variables)\.';

-- Nobody waits for it: it may be tried again.
alter table executions add column "isAsync" boolean not null default false;

-- Whom it acts for, where nobody waits: a user as long as their session lasts.
alter table executions add column "sessionId" text;

create index "executions_status_scheduledAt_idx" on executions (status, "scheduledAt");
