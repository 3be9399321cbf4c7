-- revision: 02d79079dc13
-- revises: 78757cc01339
-- branch_labels:
-- depends_on:
-- message: create feature_flags table
-- created: 2026-11-20T15:08:03Z

-- +up
-- Switches for parts of the bot, by user, by share of users, or for all.
CREATE TABLE feature_flags (
    key text NOT NULL,
    enabled boolean DEFAULT false NOT NULL,
    rollout_percent smallint DEFAULT 100 NOT NULL,
    conditions jsonb DEFAULT '{}' NOT NULL,
    description text DEFAULT '' NOT NULL,
    updated_by uuid,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT feature_flags_pkey PRIMARY KEY (key),
    CONSTRAINT feature_flags_updated_by_fkey
        FOREIGN KEY (updated_by) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT feature_flags_key_check CHECK (key ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)*$'),
    CONSTRAINT feature_flags_rollout_percent_check CHECK (rollout_percent BETWEEN 0 AND 100),
    CONSTRAINT feature_flags_conditions_check CHECK (jsonb_typeof(conditions) = 'object')
);

CREATE INDEX feature_flags_updated_by_idx ON feature_flags (updated_by);

CREATE TRIGGER feature_flags_set_updated_at
    BEFORE UPDATE ON feature_flags
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE feature_flags IS
    'Feature switches. A feature is on for a user when enabled, the conditions hold, and the user is within the percentage.';
COMMENT ON COLUMN feature_flags.conditions IS
    'Who it is for, such as {"role": ["agent", "admin"]}; empty for everybody.';

-- +down
DROP TABLE feature_flags;
