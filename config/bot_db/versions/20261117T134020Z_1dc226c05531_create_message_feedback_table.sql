-- revision: 1dc226c05531
-- revises: c0aa6191c3ca
-- branch_labels:
-- depends_on:
-- message: create message_feedback table
-- created: 2026-11-17T13:40:20Z

-- +up
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

-- +down
DROP TABLE message_feedback;
