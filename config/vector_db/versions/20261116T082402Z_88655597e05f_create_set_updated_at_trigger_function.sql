-- revision: 88655597e05f
-- revises: ba7dec2cf329
-- branch_labels:
-- depends_on:
-- message: create set_updated_at trigger function
-- created: 2026-11-16T08:24:02Z

-- +up
CREATE FUNCTION set_updated_at() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.updated_at := now();
    RETURN NEW;
END;
$$;

COMMENT ON FUNCTION set_updated_at() IS
    'Keeps updated_at true whoever writes the row, so that a synchronisation can go by it.';

-- +down
DROP FUNCTION set_updated_at();
