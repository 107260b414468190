-- A domain can lead to a function instead of the API. Requests name domains by their name alone.
alter table domains add column "functionId" text;
alter table domains add constraint "domains_functionId_fkey" foreign key ("functionId") references functions(id) on delete set null on update cascade;
create index "domains_name_idx" on domains (name);
create index "domains_functionId_idx" on domains ("functionId");
