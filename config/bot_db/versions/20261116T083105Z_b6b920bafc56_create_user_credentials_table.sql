-- revision: b6b920bafc56
-- revises: 7eea902fe625
-- branch_labels:
-- depends_on:
-- message: create user_credentials table
-- created: 2026-11-16T08:31:05Z

-- +up
-- Apart from users, so that a query, a role or an export that lists accounts
-- never meets a password hash. An account without a row here has no password
-- (it logs in some other way).
CREATE TABLE user_credentials (
    user_id uuid NOT NULL,
    password_hash text NOT NULL,
    password_changed_at timestamptz DEFAULT now() NOT NULL,
    failed_attempts integer DEFAULT 0 NOT NULL,
    locked_until timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT user_credentials_pkey PRIMARY KEY (user_id),
    CONSTRAINT user_credentials_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT user_credentials_password_hash_check CHECK (password_hash LIKE '$_%$_%'),
    CONSTRAINT user_credentials_failed_attempts_check CHECK (failed_attempts >= 0)
);

CREATE TRIGGER user_credentials_set_updated_at
    BEFORE UPDATE ON user_credentials
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE user_credentials IS
    'Password hashes and the brake on guessing them, one row per account that has a password.';
COMMENT ON COLUMN user_credentials.password_hash IS
    'A salted hash in its self-describing form ($argon2id$..., $2b$...). The CHECK keeps out a password stored as it was typed.';

-- +down
DROP TABLE user_credentials;
