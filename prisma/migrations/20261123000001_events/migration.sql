-- The event pipeline. It stands outside `public` and outside Prisma's models: it is partitioned, and written only by
-- `emit` (outbox) and the relay (the rest).
create schema events;

-- What happened, written in the transaction in which it happened. `position` orders what one transaction or one row's
-- lock has put in order; it is never read as a cursor, for a lower one may become visible after a higher one.
create table events.outbox (
  position     bigint generated always as identity primary key,
  id           uuid not null,
  "projectId"  text not null,
  name         text not null,
  type         text not null,
  aggregate    text not null,
  payload      jsonb not null,
  "actorKind"  text not null,
  "actorId"    text,
  at           timestamptz(3) not null default clock_timestamp()
);

-- Rows live here for milliseconds, so it is nearly always empty and must be vacuumed by count, not by share.
alter table events.outbox set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0);

-- The log: numbered without gaps by the relay alone. `prev` is the number of the same project's event before it.
create table events.log (
  seq          bigint not null,
  prev         bigint not null,
  id           uuid not null,
  "projectId"  text not null,
  name         text not null,
  type         text not null,
  aggregate    text not null,
  payload      jsonb not null,
  "actorKind"  text not null,
  "actorId"    text,
  at           timestamptz(3) not null,
  day          date not null,
  primary key (seq, day)
) partition by range (day);

create index log_project on events.log ("projectId", seq);

-- One row. Whoever relays holds its lock, so a relay that lost its place cannot give a number.
create table events.head (
  id           boolean primary key default true check (id),
  seq          bigint not null default 0,
  -- Every number up to this one has been dropped: a cursor below it cannot be resumed.
  trimmed      bigint not null default 0,
  -- Names this log. A cursor of another one (a restored backup, a copy) is refused.
  epoch        uuid not null default gen_random_uuid()
);
insert into events.head default values;

-- The last number of each project.
create table events.project_heads (
  "projectId"  text primary key,
  seq          bigint not null,
  "movedAt"    timestamptz(3) not null default clock_timestamp()
) with (fillfactor = 50);

create index project_heads_moved on events.project_heads ("movedAt");

-- The owners of projects are users of this one.
insert into projects (id, name, "updatedAt") values ('console', 'Console', now());
