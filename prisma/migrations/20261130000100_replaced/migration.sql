-- `replace` whose text is no longer than a document may be. PostgreSQL itself takes a gigabyte of memory before it finds that a text
-- is too long for it, and whoever may change a document chooses what is replaced in it.
CREATE FUNCTION documents.replaced(source text, what text, by_what text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
  times int8 := 0;
BEGIN
  IF what <> '' AND char_length(by_what) > char_length(what) THEN
    times := (char_length(source) - char_length(replace(source, what, ''))) / char_length(what);
  END IF;
  IF char_length(source) + times * (char_length(by_what) - char_length(what)) > 1000000 THEN
    RAISE EXCEPTION USING ERRCODE = 'TD001', MESSAGE = 'size';
  END IF;
  RETURN replace(source, what, by_what);
END $$;
