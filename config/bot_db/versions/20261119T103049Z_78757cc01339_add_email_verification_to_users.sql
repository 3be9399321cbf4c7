-- revision: 78757cc01339
-- revises: 1e71a882b0b4
-- branch_labels:
-- depends_on:
-- message: add email verification to users
-- created: 2026-11-19T10:30:49Z
-- lock_timeout: 5s

-- +up
-- NULL for the existing accounts: nobody has checked their addresses. What an
-- unverified account may do is up to the application.
ALTER TABLE users ADD COLUMN email_verified_at timestamptz;

COMMENT ON COLUMN users.email_verified_at IS
    'When the user proved to receive mail at this address; reset to NULL when the address changes.';

-- Links that have been mailed out. The address is kept with the link: it may be
-- a new one, which becomes users.email only once it is proved.
CREATE TABLE email_verifications (
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    email text NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT email_verifications_pkey PRIMARY KEY (token_hash),
    CONSTRAINT email_verifications_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT email_verifications_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT email_verifications_expires_at_check CHECK (expires_at > created_at)
);

CREATE INDEX email_verifications_user_id_idx ON email_verifications (user_id);
CREATE INDEX email_verifications_expires_at_idx ON email_verifications (expires_at);

COMMENT ON TABLE email_verifications IS
    'Verification links sent by mail, by the SHA-256 of their token. Expired rows may be deleted at any time.';

-- +down
DROP TABLE email_verifications;
ALTER TABLE users DROP COLUMN email_verified_at;
