-- The W3C `traceparent` of the transaction that emitted an event, where it was traced.
alter table events.outbox add column trace text;
alter table events.log add column trace text;
