-- revision: af9ce87c2f81
-- revises: 96b765bb68fc
-- branch_labels:
-- depends_on:
-- message: create api_keys table
-- created: 2026-11-16T09:48:33Z

-- +up
-- Keys for programs that call the bot on behalf of a user.
CREATE TABLE api_keys (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    prefix text NOT NULL,
    key_hash bytea NOT NULL,
    scopes text[] DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    last_used_at timestamptz,
    expires_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT api_keys_pkey PRIMARY KEY (id),
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_keys_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_name_check CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT api_keys_prefix_check CHECK (prefix ~ '^[A-Za-z0-9_]{4,16}$'),
    CONSTRAINT api_keys_key_hash_check CHECK (octet_length(key_hash) = 32),
    CONSTRAINT api_keys_scopes_check CHECK (array_position(scopes, NULL) IS NULL),
    CONSTRAINT api_keys_expires_at_check CHECK (expires_at > created_at)
);

CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);

-- Names are how people tell their keys apart; a revoked key frees its name.
CREATE UNIQUE INDEX api_keys_live_user_id_name_key ON api_keys (user_id, lower(name))
    WHERE revoked_at IS NULL;

COMMENT ON TABLE api_keys IS
    'API keys, by hash. A key is shown once, when it is made; a revoked one stays as a record.';
COMMENT ON COLUMN api_keys.prefix IS
    'The first characters of the key, to recognise it in a list or a log. Not a secret.';
COMMENT ON COLUMN api_keys.key_hash IS
    'SHA-256 of the whole key: a request is authenticated with one look-up by this column.';
COMMENT ON COLUMN api_keys.expires_at IS
    'NULL for a key that does not expire.';

-- +down
DROP TABLE api_keys;
