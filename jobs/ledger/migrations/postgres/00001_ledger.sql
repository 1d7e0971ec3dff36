-- Times are microseconds since 1970-01-01 UTC. Documents are JSON. Text that is an index key is compared byte by byte,
-- so that its order does not depend on how the database was made.

-- +goose Up
CREATE TABLE accounts (
    id  BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key TEXT COLLATE "C" NOT NULL UNIQUE, -- the account's value in lower case
    tx  BIGINT NOT NULL DEFAULT pg_current_xact_id()::text::bigint -- who made it: a reader asks what is new since a snapshot
);
CREATE INDEX accounts_by_tx ON accounts (tx);

CREATE TABLE scopes (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source  TEXT COLLATE "C" NOT NULL,
    systems TEXT COLLATE "C" NOT NULL,   -- sorted, separated by one space
    UNIQUE (source, systems)
);

CREATE SEQUENCE task_numbers;

CREATE TABLE tasks (
    n          BIGINT PRIMARY KEY,       -- from task_numbers; stands for the task in every other table
    id         TEXT COLLATE "C" NOT NULL UNIQUE,
    idem       BYTEA  NOT NULL UNIQUE,   -- digest of source, idempotency key and place in the delivery
    body_hash  BYTEA  NOT NULL,
    account    BIGINT NOT NULL REFERENCES accounts (id), -- keeps an account that one replica deletes and another uses
    facet      BIGINT NOT NULL,          -- scopes.id * 16 + number of the status
    created_at BIGINT NOT NULL,
    doc        TEXT   NOT NULL
) WITH (fillfactor = 85);
CREATE INDEX tasks_by_time    ON tasks (created_at, n);
CREATE INDEX tasks_by_facet   ON tasks (facet, created_at, n);
CREATE INDEX tasks_by_account ON tasks (account, created_at, n, facet);

CREATE TABLE events (
    task BIGINT NOT NULL,                -- tasks.n
    seq  BIGINT NOT NULL,
    doc  TEXT   NOT NULL,
    PRIMARY KEY (task, seq)
);

-- Rows come and go: vacuum early, so that the index of what is due stays small.
CREATE TABLE work (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    task_id    TEXT COLLATE "C" NOT NULL,
    queue      TEXT COLLATE "C" NOT NULL,
    generation BIGINT NOT NULL,
    due_at     BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 2000);
-- Work that was taken before stands ahead of work that nobody has touched: see Due.
CREATE INDEX work_due ON work (queue, (CASE WHEN generation > 1 THEN 0 ELSE 1 END), due_at, id);

CREATE TABLE callbacks (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    task       BIGINT NOT NULL,          -- tasks.n
    state      TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    doc        TEXT   NOT NULL
);
CREATE INDEX callbacks_by_state ON callbacks (state, created_at, id);
CREATE INDEX callbacks_by_task  ON callbacks (task);

CREATE TABLE settings (
    key        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value      TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What begins the names of this installation's queues, should several share one Redis.
INSERT INTO settings (key, value, updated_at) VALUES ('queue.prefix', 'resetd-' || substr(md5(random()::text || clock_timestamp()::text), 1, 8), 0);

-- +goose Down
DROP TABLE settings;
DROP TABLE callbacks;
DROP TABLE work;
DROP TABLE events;
DROP TABLE tasks;
DROP SEQUENCE task_numbers;
DROP TABLE scopes;
DROP TABLE accounts;
