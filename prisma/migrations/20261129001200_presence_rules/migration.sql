-- Which roles may be at which topics, and see who is. A project without rules leaves it to those who are signed in.
alter table projects add column "presenceRules" jsonb not null default '[]';
