-- revision: 8432b579edf1
-- revises:
-- branch_labels:
-- depends_on:
-- message: create set_updated_at trigger function
-- created: 2026-11-16T08:02:11Z

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
    'Keeps updated_at true whoever writes the row: the application, a script or psql.';

-- +down
DROP FUNCTION set_updated_at();
