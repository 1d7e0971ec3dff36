-- Who granted and withdrew the policy enforcement permission of a system, and when. Of each system the row with the highest
-- number counts. Rows are added and never changed.

-- +goose Up
CREATE TABLE permissions (
    n        BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system   TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    actor    TEXT   NOT NULL,
    decision TEXT   NOT NULL,
    before   TEXT   NOT NULL,            -- the permission that held, and
    after    TEXT   NOT NULL,            -- the one that held from then on
    reason   TEXT   NOT NULL
);
CREATE INDEX permissions_by_system ON permissions (system, n);

-- +goose StatementBegin
CREATE FUNCTION permissions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of permissions is never changed or deleted' USING ERRCODE = 'integrity_constraint_violation';
END
$$;
-- +goose StatementEnd

CREATE TRIGGER permissions_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON permissions
    FOR EACH STATEMENT EXECUTE FUNCTION permissions_stay();

-- +goose Down
DROP TABLE permissions;
DROP FUNCTION permissions_stay();
