-- The schema of bot_db, the Support Bot's main database, as it is declared.
--
-- The revisions in versions/ lead to exactly this. To change the schema, change
-- this file and let dbops write the revision: dbops migrate revision
-- --autogenerate -m "...". PostgreSQL 15 or later; no extensions needed.
--
-- A column that is added later stands last in its table, here as in a database
-- that has been upgraded: PostgreSQL cannot insert one in the middle. Every
-- foreign key says what becomes of the row, and has an index that begins with it.

-- Functions that tables share
-- ---------------------------

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

-- Users and authentication
-- ------------------------

-- The account itself: who somebody is, not how they log in. Every other table of
-- the application hangs on this one.
CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    display_name text NOT NULL,
    disabled_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    role text DEFAULT 'user' NOT NULL,
    email_verified_at timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_email_check
        CHECK (char_length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    CONSTRAINT users_display_name_check
        CHECK (char_length(display_name) BETWEEN 1 AND 200),
    CONSTRAINT users_role_check CHECK (role IN ('user', 'agent', 'admin'))
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
COMMENT ON COLUMN users.role IS
    'user: chats with the bot; agent: also reads and answers other people''s conversations; admin: also changes settings and accounts.';
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

-- Conversations
-- -------------

-- A chat of one user with the bot.
CREATE TABLE conversations (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    user_id uuid NOT NULL,
    title text,
    last_activity_at timestamptz DEFAULT now() NOT NULL,
    archived_at timestamptz,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT conversations_pkey PRIMARY KEY (id),
    CONSTRAINT conversations_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT conversations_title_check CHECK (char_length(title) BETWEEN 1 AND 500)
);

-- A user's conversations, the most recent first, page by page; the id breaks
-- ties, so that no page skips or repeats one.
CREATE INDEX conversations_user_id_last_activity_at_id_idx
    ON conversations (user_id, last_activity_at DESC, id DESC);

CREATE TRIGGER conversations_set_updated_at
    BEFORE UPDATE ON conversations
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE conversations IS
    'Conversations with the bot. The id, as text, is the thread_id under which LangGraph keeps the checkpoints.';
COMMENT ON COLUMN conversations.title IS
    'NULL until the application has thought of one.';

-- Closed by the chat protocol itself, hence a type and not a CHECK.
CREATE TYPE message_role AS ENUM ('system', 'user', 'assistant', 'tool');

-- What was said. A message is not changed once written, so it has no updated_at.
CREATE TABLE messages (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    conversation_id uuid NOT NULL,
    role message_role NOT NULL,
    content text NOT NULL,
    model text,
    prompt_tokens integer,
    completion_tokens integer,
    metadata jsonb DEFAULT '{}' NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (id),
    CONSTRAINT messages_conversation_id_fkey
        FOREIGN KEY (conversation_id) REFERENCES conversations (id) ON DELETE CASCADE,
    CONSTRAINT messages_prompt_tokens_check CHECK (prompt_tokens >= 0),
    CONSTRAINT messages_completion_tokens_check CHECK (completion_tokens >= 0),
    CONSTRAINT messages_metadata_check CHECK (jsonb_typeof(metadata) = 'object')
);

-- The messages of a conversation in order. The id gives the order: messages
-- written in one transaction have one and the same created_at.
CREATE INDEX messages_conversation_id_id_idx ON messages (conversation_id, id);

-- Usage over time: messages and tokens per day and model.
CREATE INDEX messages_created_at_idx ON messages (created_at);

COMMENT ON TABLE messages IS
    'Messages of conversations, in the order of their id.';
COMMENT ON COLUMN messages.model IS
    'The language model that wrote it; NULL for what people wrote.';
COMMENT ON COLUMN messages.prompt_tokens IS
    'Tokens that the model read to write this message; NULL when unknown.';
COMMENT ON COLUMN messages.completion_tokens IS
    'Tokens of the message itself, as the model counts them; NULL when unknown.';
COMMENT ON COLUMN messages.metadata IS
    'What else the application keeps with it: cited sources, tool calls, timings.';

-- Kept by the database, so that no writer can forget it. Once per statement: a
-- bulk insert updates each conversation once.
CREATE FUNCTION record_conversation_activity() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    UPDATE conversations AS c
    SET last_activity_at = latest.created_at
    FROM (
        SELECT conversation_id, max(created_at) AS created_at
        FROM inserted
        GROUP BY conversation_id
    ) AS latest
    WHERE c.id = latest.conversation_id
        AND c.last_activity_at < latest.created_at;
    RETURN NULL;
END;
$$;

CREATE TRIGGER messages_record_conversation_activity
    AFTER INSERT ON messages
    REFERENCING NEW TABLE AS inserted
    FOR EACH STATEMENT
    EXECUTE FUNCTION record_conversation_activity();

COMMENT ON FUNCTION record_conversation_activity() IS
    'Moves conversations.last_activity_at forward to the newest of the messages just inserted.';

-- Thumbs up and down. A rating outlives the account of the person who gave it
-- (ON DELETE SET NULL), without the name; it goes with the message.
CREATE TABLE message_feedback (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    message_id bigint NOT NULL,
    user_id uuid,
    rating smallint NOT NULL,
    comment text,
    created_at timestamptz DEFAULT now() NOT NULL,
    updated_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT message_feedback_pkey PRIMARY KEY (id),
    CONSTRAINT message_feedback_message_id_user_id_key UNIQUE (message_id, user_id),
    CONSTRAINT message_feedback_message_id_fkey
        FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE,
    CONSTRAINT message_feedback_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL,
    CONSTRAINT message_feedback_rating_check CHECK (rating IN (-1, 1))
);

CREATE INDEX message_feedback_user_id_idx ON message_feedback (user_id);

-- The review of bad answers, the newest first.
CREATE INDEX message_feedback_negative_created_at_idx ON message_feedback (created_at DESC)
    WHERE rating = -1;

CREATE TRIGGER message_feedback_set_updated_at
    BEFORE UPDATE ON message_feedback
    FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*)
    EXECUTE FUNCTION set_updated_at();

COMMENT ON TABLE message_feedback IS
    'What users thought of an answer: one rating per user and message.';
COMMENT ON COLUMN message_feedback.rating IS
    '1 for helpful, -1 for not.';

-- LangGraph checkpoints
-- ---------------------

-- Exactly what PostgresSaver.setup() of langgraph-checkpoint-postgres 3.1
-- creates: its names, its types, no comments, no constraints of ours. LangGraph
-- reads and writes these tables; the application does not. The rows of
-- checkpoint_migrations, which tell LangGraph that nothing is left to do, come
-- with the revision that creates the table.
CREATE TABLE checkpoint_migrations (
    v integer NOT NULL,
    CONSTRAINT checkpoint_migrations_pkey PRIMARY KEY (v)
);

CREATE TABLE checkpoints (
    thread_id text NOT NULL,
    checkpoint_ns text DEFAULT '' NOT NULL,
    checkpoint_id text NOT NULL,
    parent_checkpoint_id text,
    type text,
    checkpoint jsonb NOT NULL,
    metadata jsonb DEFAULT '{}' NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id)
);

CREATE INDEX checkpoints_thread_id_idx ON checkpoints (thread_id);

CREATE TABLE checkpoint_blobs (
    thread_id text NOT NULL,
    checkpoint_ns text DEFAULT '' NOT NULL,
    channel text NOT NULL,
    version text NOT NULL,
    type text NOT NULL,
    blob bytea,
    CONSTRAINT checkpoint_blobs_pkey PRIMARY KEY (thread_id, checkpoint_ns, channel, version)
);

CREATE INDEX checkpoint_blobs_thread_id_idx ON checkpoint_blobs (thread_id);

CREATE TABLE checkpoint_writes (
    thread_id text NOT NULL,
    checkpoint_ns text DEFAULT '' NOT NULL,
    checkpoint_id text NOT NULL,
    task_id text NOT NULL,
    idx integer NOT NULL,
    channel text NOT NULL,
    type text,
    blob bytea NOT NULL,
    task_path text DEFAULT '' NOT NULL,
    CONSTRAINT checkpoint_writes_pkey
        PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx)
);

CREATE INDEX checkpoint_writes_thread_id_idx ON checkpoint_writes (thread_id);

-- LangGraph's tables know a thread, not a conversation, so no foreign key can
-- do this. Without it, whatever a deleted user said would live on in the
-- checkpoints. It also fires for conversations that go with their user.
CREATE FUNCTION delete_conversation_checkpoints() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = public, pg_temp
AS $$
BEGIN
    DELETE FROM checkpoint_writes WHERE thread_id IN (SELECT id::text FROM deleted);
    DELETE FROM checkpoint_blobs WHERE thread_id IN (SELECT id::text FROM deleted);
    DELETE FROM checkpoints WHERE thread_id IN (SELECT id::text FROM deleted);
    RETURN NULL;
END;
$$;

CREATE TRIGGER conversations_delete_checkpoints
    AFTER DELETE ON conversations
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT
    EXECUTE FUNCTION delete_conversation_checkpoints();

COMMENT ON FUNCTION delete_conversation_checkpoints() IS
    'Deletes the LangGraph checkpoints of the conversations just deleted (thread_id = conversation id).';

-- Application metadata
-- --------------------

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
