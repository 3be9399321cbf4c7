-- revision: 96b765bb68fc
-- revises: 987d2748d027
-- branch_labels:
-- depends_on:
-- message: create refresh_tokens table
-- created: 2026-11-16T09:20:18Z

-- +up
-- Every refresh uses up one token and issues the next. Used ones are kept until
-- the session goes: a token that comes back a second time was stolen.
CREATE TABLE refresh_tokens (
    token_hash bytea NOT NULL,
    session_id uuid NOT NULL,
    issued_at timestamptz DEFAULT now() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (token_hash),
    CONSTRAINT refresh_tokens_session_id_fkey
        FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_token_hash_check CHECK (octet_length(token_hash) = 32),
    CONSTRAINT refresh_tokens_expires_at_check CHECK (expires_at > issued_at)
);

CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);

-- A session has at most one token that still works, so that two refreshes at the
-- same moment cannot fork it.
CREATE UNIQUE INDEX refresh_tokens_live_session_id_key ON refresh_tokens (session_id)
    WHERE used_at IS NULL;

COMMENT ON TABLE refresh_tokens IS
    'Refresh tokens of a session, the used ones included: seeing one of those again means that it leaked.';
COMMENT ON COLUMN refresh_tokens.token_hash IS
    'SHA-256 of the token. The token itself is random and long, so it needs no salt, and it is never stored.';

-- +down
DROP TABLE refresh_tokens;
