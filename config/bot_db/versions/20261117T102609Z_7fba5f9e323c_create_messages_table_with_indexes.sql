-- revision: 7fba5f9e323c
-- revises: 529e44ff6f6e
-- branch_labels:
-- depends_on:
-- message: create messages table with indexes
-- created: 2026-11-17T10:26:09Z

-- +up
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

-- +down
DROP TABLE messages;
DROP TYPE message_role;
