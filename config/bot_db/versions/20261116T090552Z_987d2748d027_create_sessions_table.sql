-- revision: 987d2748d027
-- revises: b6b920bafc56
-- branch_labels:
-- depends_on:
-- message: create sessions table
-- created: 2026-11-16T09:05:52Z

-- +up
-- One login on one device. It is proved by refresh_tokens; revoking the session
-- ends them all.
CREATE TABLE sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    user_agent text,
    ip_address inet,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_used_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_expires_at_check CHECK (expires_at > created_at)
);

-- "Where am I logged in": a user's sessions.
CREATE INDEX sessions_user_id_idx ON sessions (user_id);

-- The sweep that deletes expired sessions.
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);

COMMENT ON TABLE sessions IS
    'One login on one device; deleting the row logs the device out. Expired rows may be deleted at any time.';

-- +down
DROP TABLE sessions;
