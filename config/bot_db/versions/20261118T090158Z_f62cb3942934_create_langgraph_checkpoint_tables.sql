-- revision: f62cb3942934
-- revises: 1dc226c05531
-- branch_labels:
-- depends_on:
-- message: create langgraph checkpoint tables
-- created: 2026-11-18T09:01:58Z
-- dbops:ignore one-logical-change LangGraph takes its four tables together or not at all

-- +up
-- Exactly what PostgresSaver.setup() of langgraph-checkpoint-postgres 3.1
-- creates: its names, its types, no comments, no constraints of ours. LangGraph
-- reads and writes these tables; the application does not.
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

-- LangGraph's own version table: with its ten steps on record, setup() finds
-- nothing left to do.
INSERT INTO checkpoint_migrations (v) SELECT generate_series(0, 9);

-- +down
DROP TABLE checkpoint_writes;
DROP TABLE checkpoint_blobs;
DROP TABLE checkpoints;
DROP TABLE checkpoint_migrations;
