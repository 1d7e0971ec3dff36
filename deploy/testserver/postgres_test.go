package testserver

import (
	"context"
	"errors"
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func postgresConn(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func setting(t *testing.T, conn *pgx.Conn, name string) string {
	t.Helper()
	var value string
	if err := conn.QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestEveryTestGetsADatabaseOfItsOwnInOneCluster(t *testing.T) {
	first := Postgres(t).Database(t)
	second := Postgres(t).Database(t)
	one := postgresConn(t, first)
	if _, err := one.Exec(t.Context(), "CREATE TABLE mine (id int)"); err != nil {
		t.Fatal(err)
	}
	var tables int
	query := "SELECT count(*) FROM pg_tables WHERE tablename = 'mine'"
	if err := postgresConn(t, second).QueryRow(t.Context(), query).Scan(&tables); err != nil || tables != 0 {
		t.Errorf("the second database has %d of the first one's tables, %v", tables, err)
	}
	if port := setting(t, one, "port"); port != setting(t, postgresConn(t, second), "port") {
		t.Error("the two databases are in two clusters")
	}
	if fsync := setting(t, one, "fsync"); fsync != "on" {
		t.Errorf("fsync is %s: the ledger's tests would prove nothing", fsync)
	}
}

func TestDatabaseIsDroppedWithItsTest(t *testing.T) {
	var database string
	t.Run("user", func(t *testing.T) {
		database = Postgres(t).Database(t)
		// A connection that stays open must not keep the database alive.
		conn, err := pgx.Connect(t.Context(), database)
		if err != nil {
			t.Fatal(err)
		}
		_ = conn
	})
	_, err := pgx.Connect(t.Context(), database)
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "3D000" { // invalid_catalog_name
		t.Errorf("connecting afterwards: %v, want invalid_catalog_name", err)
	}
}

func TestPostgresDemandsItsPassword(t *testing.T) {
	location, err := url.Parse(Postgres(t).Database(t))
	if err != nil {
		t.Fatal(err)
	}
	location.User = url.UserPassword(location.User.Username(), "wrong")
	_, err = pgx.Connect(t.Context(), location.String())
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || refused.Code != "28P01" { // invalid_password
		t.Errorf("with a wrong password: %v, want invalid_password", err)
	}
}

func TestKilledClusterComesBackWithItsCommits(t *testing.T) {
	s := Postgres(t, OwnCluster())
	database := s.Database(t)
	if _, err := postgresConn(t, database).Exec(t.Context(), "CREATE TABLE kept AS SELECT 7 AS id"); err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	var id int
	if err := postgresConn(t, database).QueryRow(t.Context(), "SELECT id FROM kept").Scan(&id); err != nil || id != 7 {
		t.Errorf("after the kill: %d, %v", id, err)
	}
}

func TestFsyncCanBeLeftOut(t *testing.T) {
	s := Postgres(t, WithoutFsync())
	if fsync := setting(t, postgresConn(t, s.Database(t)), "fsync"); fsync != "off" {
		t.Errorf("fsync is %s, want off", fsync)
	}
}
