-- +goose Up
-- Who went to reset an account last: what comes after him may share his reset instead of making one of its own. There is no
-- index by task: each reset would pay for it, and only a purge needs it, which walks through the table instead.
CREATE TABLE leaders (
    subject BYTEA  NOT NULL PRIMARY KEY, -- digest of the system, the mode and the id that the account has there
    task    BIGINT NOT NULL              -- tasks.n
);

-- The bodies of deliveries that carry no id of their own.
CREATE TABLE bodies (
    digest BYTEA  NOT NULL PRIMARY KEY,  -- of the source and the body
    at     BIGINT NOT NULL,              -- when it came first
    task   BIGINT NOT NULL               -- tasks.n of the first task that it made
);
CREATE INDEX bodies_by_task ON bodies (task);

-- +goose Down
DROP TABLE bodies;
DROP TABLE leaders;
