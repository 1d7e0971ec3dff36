-- Times are microseconds since 1970-01-01 UTC. Documents are JSON.

-- +goose Up
CREATE TABLE accounts (
    id  INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE             -- the account's value in lower case
);

CREATE TABLE scopes (
    id      INTEGER PRIMARY KEY,
    source  TEXT NOT NULL,
    systems TEXT NOT NULL,               -- sorted, separated by one space
    UNIQUE (source, systems)
);

CREATE TABLE tasks (
    n          INTEGER PRIMARY KEY,      -- stands for the task in every other table
    id         TEXT    NOT NULL UNIQUE,
    idem       BLOB    NOT NULL UNIQUE,  -- digest of source, idempotency key and place in the delivery
    body_hash  BLOB    NOT NULL,
    account    INTEGER NOT NULL,         -- accounts.id
    facet      INTEGER NOT NULL,         -- scopes.id * 16 + number of the status
    created_at INTEGER NOT NULL,
    doc        TEXT    NOT NULL
);
CREATE INDEX tasks_by_time    ON tasks (created_at, n);
CREATE INDEX tasks_by_facet   ON tasks (facet, created_at, n);
CREATE INDEX tasks_by_account ON tasks (account, created_at, n, facet);

CREATE TABLE events (
    task INTEGER NOT NULL,               -- tasks.n
    seq  INTEGER NOT NULL,
    doc  TEXT    NOT NULL,
    PRIMARY KEY (task, seq)
) WITHOUT ROWID;

CREATE TABLE work (
    id         TEXT    NOT NULL PRIMARY KEY,
    task_id    TEXT    NOT NULL,
    queue      TEXT    NOT NULL,
    generation INTEGER NOT NULL,
    due_at     INTEGER NOT NULL
) WITHOUT ROWID;
-- Work that was taken before stands ahead of work that nobody has touched: see Due.
CREATE INDEX work_due ON work (queue, (CASE WHEN generation > 1 THEN 0 ELSE 1 END), due_at, id);

CREATE TABLE callbacks (
    id         TEXT    NOT NULL PRIMARY KEY,
    task       INTEGER NOT NULL,         -- tasks.n
    state      TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    doc        TEXT    NOT NULL
) WITHOUT ROWID;
CREATE INDEX callbacks_by_state ON callbacks (state, created_at, id);
CREATE INDEX callbacks_by_task  ON callbacks (task);

CREATE TABLE settings (
    key        TEXT    NOT NULL PRIMARY KEY,
    value      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL
) WITHOUT ROWID;

-- What begins the names of this installation's queues, should several share one Redis.
INSERT INTO settings (key, value, updated_at) VALUES ('queue.prefix', 'resetd-' || lower(hex(randomblob(4))), 0);

-- +goose Down
DROP TABLE settings;
DROP TABLE callbacks;
DROP TABLE work;
DROP TABLE events;
DROP TABLE tasks;
DROP TABLE scopes;
DROP TABLE accounts;
