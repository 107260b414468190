-- A node tells by `xmin` of a collection's row whether it has to read the collection again (src/documents/load.ts). So the row is
-- written, as it is, by every transaction that changes what else its model is made of: its attributes and indexes, the attributes
-- that point at it, and whether the collections at the other ends of its relations are there.
create function touch_collections(ids text[]) returns void language sql as $$
  update collections set id = id
  where id in (select id from collections where id = any(ids) and xmin <> pg_current_xact_id()::xid order by id for no key update)
$$;

create function touch_collections_of_part() returns trigger language plpgsql as $$
begin
  perform touch_collections(array[
    to_jsonb(old) ->> 'collectionId', to_jsonb(old) ->> 'relatedCollectionId',
    to_jsonb(new) ->> 'collectionId', to_jsonb(new) ->> 'relatedCollectionId']);
  return null;
end $$;

create trigger touch_collections after insert or update or delete on attributes
  for each row execute function touch_collections_of_part();
create trigger touch_collections after insert or update or delete on indexes
  for each row execute function touch_collections_of_part();

create function touch_related_collections() returns trigger language plpgsql as $$
begin
  perform touch_collections(array(
    select unnest(array["collectionId", "relatedCollectionId"]) from attributes
    where new.id in ("collectionId", "relatedCollectionId") and "relatedCollectionId" is not null));
  return null;
end $$;

create trigger touch_related_collections after update of status on collections
  for each row execute function touch_related_collections();
