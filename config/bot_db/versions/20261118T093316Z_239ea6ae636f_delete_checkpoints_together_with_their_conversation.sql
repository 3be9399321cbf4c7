-- revision: 239ea6ae636f
-- revises: f62cb3942934
-- branch_labels:
-- depends_on:
-- message: delete checkpoints together with their conversation
-- created: 2026-11-18T09:33:16Z
-- lock_timeout: 5s

-- +up
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

-- +down
DROP TRIGGER conversations_delete_checkpoints ON conversations;
DROP FUNCTION delete_conversation_checkpoints();
