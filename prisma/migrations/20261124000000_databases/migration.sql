-- CreateEnum
CREATE TYPE "RelationKind" AS ENUM ('ONE_TO_ONE', 'MANY_TO_ONE', 'MANY_TO_MANY');

-- CreateEnum
CREATE TYPE "VectorDistance" AS ENUM ('EUCLIDEAN', 'COSINE', 'DOT');

-- AlterEnum
ALTER TYPE "AttributeType" ADD VALUE 'TEXT';
ALTER TYPE "AttributeType" ADD VALUE 'BIGINT';
ALTER TYPE "AttributeType" ADD VALUE 'FLOAT';
ALTER TYPE "AttributeType" ADD VALUE 'DECIMAL';
ALTER TYPE "AttributeType" ADD VALUE 'DATE';
ALTER TYPE "AttributeType" ADD VALUE 'EMAIL';
ALTER TYPE "AttributeType" ADD VALUE 'URL';
ALTER TYPE "AttributeType" ADD VALUE 'IP';
ALTER TYPE "AttributeType" ADD VALUE 'UUID';
ALTER TYPE "AttributeType" ADD VALUE 'ENUM';
ALTER TYPE "AttributeType" ADD VALUE 'JSON';
ALTER TYPE "AttributeType" ADD VALUE 'POINT';
ALTER TYPE "AttributeType" ADD VALUE 'LINE';
ALTER TYPE "AttributeType" ADD VALUE 'POLYGON';
ALTER TYPE "AttributeType" ADD VALUE 'VECTOR';

-- AlterEnum
ALTER TYPE "IndexType" ADD VALUE 'FULLTEXT';
ALTER TYPE "IndexType" ADD VALUE 'GIN';
ALTER TYPE "IndexType" ADD VALUE 'TRIGRAM';
ALTER TYPE "IndexType" ADD VALUE 'SPATIAL';
ALTER TYPE "IndexType" ADD VALUE 'VECTOR';

-- AlterEnum
ALTER TYPE "SchemaStatus" ADD VALUE 'CHANGING';

-- AlterTable
ALTER TABLE "attributes" ADD COLUMN     "change" TEXT,
ADD COLUMN     "column" TEXT,
ADD COLUMN     "computed" TEXT,
ADD COLUMN     "dimensions" INTEGER,
ADD COLUMN     "elements" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "encrypted" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "list" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "max" TEXT,
ADD COLUMN     "min" TEXT,
ADD COLUMN     "pattern" TEXT,
ADD COLUMN     "permissions" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "relation" "RelationKind",
ADD COLUMN     "restricted" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "unique" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "collections" ADD COLUMN     "cacheSeconds" INTEGER,
ADD COLUMN     "rules" TEXT NOT NULL DEFAULT '[]';

-- AlterTable
ALTER TABLE "indexes" ADD COLUMN     "distance" "VectorDistance",
ADD COLUMN     "language" TEXT;

-- AlterTable
ALTER TABLE "projects" ADD COLUMN     "costLimits" JSONB NOT NULL DEFAULT '{}';

-- CreateTable
CREATE TABLE "idempotencies" (
    "projectId" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "answer" TEXT NOT NULL,
    "createdAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "idempotencies_pkey" PRIMARY KEY ("projectId","actor","key")
);

-- CreateEnum
CREATE TYPE "SchemaVersionStatus" AS ENUM ('APPLYING', 'APPLIED', 'ROLLING_BACK');

-- CreateTable
CREATE TABLE "schema_versions" (
    "projectId" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "checksum" TEXT NOT NULL,
    "rollback" TEXT NOT NULL,
    "status" "SchemaVersionStatus" NOT NULL DEFAULT 'APPLYING',
    "steps" INTEGER NOT NULL,
    "done" INTEGER NOT NULL DEFAULT 0,
    "lease" TEXT,
    "leaseUntil" TIMESTAMPTZ(3),
    "appliedAt" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "schema_versions_pkey" PRIMARY KEY ("projectId","name")
);

-- CreateIndex
CREATE INDEX "idempotencies_createdAt_idx" ON "idempotencies"("createdAt");

-- CreateIndex
CREATE UNIQUE INDEX "attributes_collectionId_column_key" ON "attributes"("collectionId", "column");

-- Columns had the names of their keys until now, and relations pointed at one document.
UPDATE "attributes" SET "column" = "key", "relation" = CASE WHEN "type" = 'RELATION' THEN 'MANY_TO_ONE'::"RelationKind" END;
ALTER TABLE "attributes" ALTER COLUMN "column" SET NOT NULL;

-- Each document counts its changes.
DO $$
DECLARE collection record;
BEGIN
  FOR collection IN SELECT "projectId", id FROM "collections" WHERE to_regclass(format('%I.%I', "projectId", id)) IS NOT NULL LOOP
    EXECUTE format('ALTER TABLE %I.%I ADD COLUMN IF NOT EXISTS "_version" int4 NOT NULL DEFAULT 1', collection."projectId", collection.id);
  END LOOP;
END $$;

-- A check on a table may hold no subquery, so what every item of a list must be is a function.
CREATE FUNCTION items_fit(items text[], size int4) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN NOT EXISTS (SELECT FROM unnest(items) AS item WHERE char_length(item) > size);
CREATE FUNCTION items_match(items text[], pattern text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN NOT EXISTS (SELECT FROM unnest(items) AS item WHERE item !~ pattern);

-- What answers in JSON are made with.
CREATE SCHEMA documents;

-- A number as JavaScript writes it.
CREATE FUNCTION documents.js_number(x float8) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT CASE
    WHEN x = 0 THEN '0'
    WHEN x IN ('NaN', 'Infinity', '-Infinity') THEN 'null'
    WHEN abs(x) >= 1e21 OR abs(x) < 1e-6 THEN regexp_replace(x::text, 'e([+-])0(\d)$', 'e\1\2')
    ELSE x::text::numeric::text
  END
$$;

CREATE FUNCTION documents.numbers_json(list float8[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT '[' || coalesce(string_agg(documents.js_number(x), ',' ORDER BY place), '') || ']' FROM unnest(list) WITH ORDINALITY AS item (x, place)
$$;

-- `(1,2),(3,4)` as `[1,2],[3,4]`.
CREATE FUNCTION documents.positions_json(places text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT string_agg(format('[%s,%s]', documents.js_number(pair[1]::float8), documents.js_number(pair[2]::float8)), ',' ORDER BY place)
  FROM regexp_matches(places, '\(([^(),]+),([^(),]+)\)', 'g') WITH ORDINALITY AS item (pair, place)
$$;

CREATE FUNCTION documents.line_json(line path) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT '{"type":"LineString","coordinates":[' || documents.positions_json(line::text) || ']}'
$$;

-- GeoJSON closes a ring with its first position.
CREATE FUNCTION documents.polygon_json(area polygon) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT '{"type":"Polygon","coordinates":[[' || documents.positions_json(area::text || substring(area::text from '\([^(),]+,[^(),]+\)')) || ']]}'
$$;

CREATE FUNCTION documents.point_of(logged jsonb) RETURNS point LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT point((logged #>> '{coordinates,0}')::float8, (logged #>> '{coordinates,1}')::float8)
$$;

CREATE FUNCTION documents.line_of(logged jsonb) RETURNS path LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT ('[' || substr(translate(logged ->> 'coordinates', '[]', '()'), 2, length(logged ->> 'coordinates') - 2) || ']')::path
$$;

CREATE FUNCTION documents.polygon_of(logged jsonb) RETURNS polygon LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
  SELECT translate(((logged #> '{coordinates,0}') - (-1))::text, '[]', '()')::polygon
$$;

-- Whether a text can be read as a value of a type. PostgreSQL 16 says it itself, earlier ones have to try.
DO $$
BEGIN
  IF current_setting('server_version_num')::int >= 160000 THEN
    CREATE FUNCTION is_valid(value text, type text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
      'SELECT pg_input_is_valid(value, type)';
  ELSE
    CREATE FUNCTION is_valid(value text, type text) RETURNS boolean LANGUAGE plpgsql STABLE AS
      'BEGIN EXECUTE format(''SELECT %L::%s'', value, type); RETURN true; EXCEPTION WHEN data_exception THEN RETURN false; END';
  END IF;
END $$;

-- How a write of documents refuses: the whole statement fails, for a reason that the caller is told in our own words.
CREATE FUNCTION documents.refuse(reason text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'TD001', MESSAGE = reason;
END $$;

-- True where there is no reason to refuse.
CREATE FUNCTION documents.allow(reason text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  IF reason IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'TD001', MESSAGE = reason;
  END IF;
  RETURN true;
END $$;

-- What every node asks several times a second: has anything happened to callers? A great many documents may wait here
-- while no relay runs, and they are not in this index.
CREATE INDEX outbox_callers ON events.outbox (position) WHERE type ~ '^(users|sessions|keys|members|projects)\.';
