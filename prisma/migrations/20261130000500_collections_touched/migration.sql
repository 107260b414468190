-- A node tells by `xmin` of a collection's row whether it has to read the collection again (src/documents/load.ts). So the row is
-- written, as it is, by every transaction that changes what else its model is made of: its attributes and indexes, the attributes
-- that point at it, and whether the collections at the other ends of its relations are there. Once for each statement, and in the
-- order of their ids: once for each row took a tenth of a millisecond for each of the attributes that were made or deleted
-- together, and two statements could wait for each other.
lock table collections, attributes, indexes in access exclusive mode;

create function touch_collections(ids text[]) returns void language sql as $$
  update collections set id = id
  where id in (select id from collections where id = any(ids) and xmin <> pg_current_xact_id()::xid order by id for no key update)
$$;

create function touch_collections_of_parts() returns trigger language plpgsql as $$
declare ids text[] := '{}';
begin
  if tg_op <> 'INSERT' then ids := ids || array(select distinct "collectionId" from earlier); end if;
  if tg_op <> 'DELETE' then ids := ids || array(select distinct "collectionId" from later); end if;
  if tg_table_name = 'attributes' then
    if tg_op <> 'INSERT' then ids := ids || array(select distinct "relatedCollectionId" from earlier); end if;
    if tg_op <> 'DELETE' then ids := ids || array(select distinct "relatedCollectionId" from later); end if;
  end if;
  perform touch_collections(ids);
  return null;
end $$;

create trigger touch_collections_inserted after insert on attributes
  referencing new table as later for each statement execute function touch_collections_of_parts();
create trigger touch_collections_updated after update on attributes
  referencing old table as earlier new table as later for each statement execute function touch_collections_of_parts();
create trigger touch_collections_deleted after delete on attributes
  referencing old table as earlier for each statement execute function touch_collections_of_parts();
create trigger touch_collections_inserted after insert on indexes
  referencing new table as later for each statement execute function touch_collections_of_parts();
create trigger touch_collections_updated after update on indexes
  referencing old table as earlier new table as later for each statement execute function touch_collections_of_parts();
create trigger touch_collections_deleted after delete on indexes
  referencing old table as earlier for each statement execute function touch_collections_of_parts();

create function touch_related_collections() returns trigger language plpgsql as $$
begin
  perform touch_collections(array(
    select unnest(array["collectionId", "relatedCollectionId"]) from attributes
    where new.id in ("collectionId", "relatedCollectionId") and "relatedCollectionId" is not null));
  return null;
end $$;

create trigger touch_related_collections after update of status on collections
  for each row execute function touch_related_collections();
