-- revision: 529e44ff6f6e
-- revises: af9ce87c2f81
-- branch_labels:
-- depends_on:
-- message: create conversations table with indexes
-- created: 2026-11-17T10:03:27Z

-- +up
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

-- +down
DROP TABLE conversations;
