-- How often somebody has tried a password or signed up, for one address or from one place, and from where an address has signed in.
create table account_attempts (
  key text primary key,
  tries integer not null,
  until timestamptz(3) not null
);
create index "account_attempts_until_idx" on account_attempts (until);
