-- revision: 1e71a882b0b4
-- revises: 405a5419cda0
-- branch_labels:
-- depends_on:
-- message: add role column to users
-- created: 2026-11-19T08:45:12Z
-- lock_timeout: 5s

-- +up
-- Existing accounts first get a value, then the column becomes mandatory; with
-- rows in the table, the other way round fails.
ALTER TABLE users ADD COLUMN role text;

-- Giving a role to everybody is no edit of the accounts: updated_at keeps saying
-- when each was really changed.
ALTER TABLE users DISABLE TRIGGER users_set_updated_at;
UPDATE users SET role = 'user' WHERE role IS NULL;
ALTER TABLE users ENABLE TRIGGER users_set_updated_at;

-- Both of these read the whole table under the lock that ADD COLUMN already
-- holds: a moment for accounts, which are few. A large table would take them one
-- by one, NOT VALID first, in revisions of their own.
ALTER TABLE users ALTER COLUMN role SET DEFAULT 'user';
-- squawk-ignore adding-not-nullable-field
ALTER TABLE users ALTER COLUMN role SET NOT NULL;
-- squawk-ignore constraint-missing-not-valid
ALTER TABLE users ADD CONSTRAINT users_role_check CHECK (role IN ('user', 'agent', 'admin'));

COMMENT ON COLUMN users.role IS
    'user: chats with the bot; agent: also reads and answers other people''s conversations; admin: also changes settings and accounts.';

-- +down
-- Forgets who was agent or admin: take a backup first if that is to come back.
ALTER TABLE users DROP COLUMN role;
