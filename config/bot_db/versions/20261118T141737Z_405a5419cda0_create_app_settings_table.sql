-- revision: 405a5419cda0
-- revises: 239ea6ae636f
-- branch_labels:
-- depends_on:
-- message: create app_settings table
-- created: 2026-11-18T14:17:37Z

-- +up
-- Settings that operators change while the bot runs: the greeting, the model,
-- limits. What is needed to reach the database at all stays in the environment.
CREATE TABLE app_settings (
    key text NOT NULL,
    value jsonb NOT NULL,
    description text DEFAULT '' NOT NULL,
    updated_by uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT app_settings_pkey PRIMARY KEY (key),
    CONSTRAINT app_settings_updated_by_fkey
        FOREIGN KEY (updated_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT app_settings_key_check CHECK (key ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*$')
);

CREATE INDEX app_settings_updated_by_idx ON app_settings (updated_by);

CREATE TRIGGER app_settings_set_updated_at
    BEFORE UPDATE ON app_settings
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE app_settings IS
    'Settings of the running application, by dotted key. Not for secrets: they are readable to whoever reads the table.';

-- +down
DROP TABLE app_settings;
