-- Who granted and withdrew the policy enforcement permission of a system, and when. Of each system the row with the highest
-- number counts. Rows are added and never changed.

-- +goose Up
CREATE TABLE permissions (
    n        INTEGER PRIMARY KEY,
    system   TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    actor    TEXT    NOT NULL,
    decision TEXT    NOT NULL,
    before   TEXT    NOT NULL,           -- the permission that held, and
    after    TEXT    NOT NULL,           -- the one that held from then on
    reason   TEXT    NOT NULL
);
CREATE INDEX permissions_by_system ON permissions (system, n);

-- +goose StatementBegin
CREATE TRIGGER permissions_stay BEFORE UPDATE ON permissions
BEGIN
    SELECT RAISE(ABORT, 'the history of permissions is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER permissions_remain BEFORE DELETE ON permissions
BEGIN
    SELECT RAISE(ABORT, 'the history of permissions is never deleted');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE permissions;
