-- Users of bot_db and what they talked about: `:part` is a number, and each part is larger than the one before.

WITH people AS (
    INSERT INTO users (email, display_name)
    SELECT format('user-:part-%s@example.com', n), format('User %s', n)
    FROM generate_series(1, 40 * :part) AS n
    RETURNING id
), talks AS (
    INSERT INTO conversations (user_id, title)
    SELECT id, 'How do I export my data?' FROM people
    RETURNING id
)
INSERT INTO messages (conversation_id, role, content)
SELECT t.id, turn.role, turn.content
FROM talks AS t
CROSS JOIN (VALUES
    ('user'::message_role, 'How do I export my data?'),
    ('assistant', 'Under Settings, Privacy, choose Export. You get a mail when the archive is ready.')
) AS turn (role, content);

ANALYZE;
