-- revision: 7eea902fe625
-- revises: 8432b579edf1
-- branch_labels:
-- depends_on:
-- message: create users table
-- created: 2026-11-16T08:14:40Z

-- +up
-- The account itself: who somebody is, not how they log in. Every other table of
-- the application hangs on this one.
CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    display_name text NOT NULL,
    disabled_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_check
        CHECK (char_length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    CONSTRAINT users_display_name_check
        CHECK (char_length(display_name) BETWEEN 1 AND 200)
);

-- One account per address, however it is capitalised; log in with
-- WHERE lower(email) = lower($1).
CREATE UNIQUE INDEX users_email_lower_key ON users (lower(email));

CREATE TRIGGER users_set_updated_at
    BEFORE UPDATE ON users
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE users IS
    'User accounts. Holds no secrets: what proves an identity is in user_credentials, sessions and api_keys.';
COMMENT ON COLUMN users.disabled_at IS
    'Set when the account may no longer log in; the row stays, so that the address is not handed out again.';

-- +down
DROP TABLE users;
