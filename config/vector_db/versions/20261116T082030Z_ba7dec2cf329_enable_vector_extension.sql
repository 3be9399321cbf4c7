-- revision: ba7dec2cf329
-- revises:
-- branch_labels:
-- depends_on:
-- message: enable vector extension
-- created: 2026-11-16T08:20:30Z

-- +up
-- On many managed servers only an administrator may create it: IF NOT EXISTS
-- lets this revision pass when that has been done beforehand.
CREATE EXTENSION IF NOT EXISTS vector;

-- +down
DROP EXTENSION vector;
