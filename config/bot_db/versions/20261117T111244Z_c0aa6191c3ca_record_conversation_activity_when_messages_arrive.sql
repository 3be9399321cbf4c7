-- revision: c0aa6191c3ca
-- revises: 7fba5f9e323c
-- branch_labels:
-- depends_on:
-- message: record conversation activity when messages arrive
-- created: 2026-11-17T11:12:44Z
-- lock_timeout: 5s

-- +up
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

-- For the messages that are already there.
UPDATE conversations AS c
SET last_activity_at = latest.created_at
FROM (
    SELECT conversation_id, max(created_at) AS created_at
    FROM messages
    GROUP BY conversation_id
) AS latest
WHERE c.id = latest.conversation_id
    AND c.last_activity_at < latest.created_at;

COMMENT ON FUNCTION record_conversation_activity() IS
    'Moves conversations.last_activity_at forward to the newest of the messages just inserted.';

-- +down
DROP TRIGGER messages_record_conversation_activity ON messages;
DROP FUNCTION record_conversation_activity();
