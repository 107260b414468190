-- Collections are written once for each statement that changes attributes or indexes, in the order of their ids, not once for each
-- row: that took a tenth of a millisecond for each of the attributes that were made or deleted together, and two statements
-- could wait for each other.
lock table collections, attributes, indexes in access exclusive mode;

drop trigger touch_collections on attributes;
drop trigger touch_collections on indexes;
drop function touch_collections_of_part();

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
