-- How many bytes an upload is to have: it is complete with the last of them.
alter table deployments add column "uploadBytes" integer;

-- They are packed already: PostgreSQL need not try to make them smaller.
alter table deployment_parts alter column bytes set storage external;
