package ledger

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	gooselock "github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema to the version that this program knows. It refuses a newer one. On PostgreSQL an advisory
// lock lets one replica migrate while the others wait.
func migrate(ctx context.Context, k kind, db *sql.DB) error {
	folder, err := fs.Sub(migrations, "migrations/"+string(k))
	if err != nil {
		return fmt.Errorf("ledger: migrate: %w", err)
	}
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption(nil)
	if k == kindPostgres {
		locker, err := gooselock.NewPostgresSessionLocker(gooselock.WithLockTimeout(1, 300))
		if err != nil {
			return fmt.Errorf("ledger: migrate: %w", err)
		}
		dialect, options = goose.DialectPostgres, append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, folder, append(options, goose.WithDisableGlobalRegistry(true))...)
	if err != nil {
		return fmt.Errorf("ledger: migrate: %w", err)
	}
	has, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("ledger: read the version of the schema: %w", err)
	}
	if has > knows {
		return fmt.Errorf("ledger: a newer resetd wrote it (schema %d; this one knows %d); start that version, or restore the backup from before the upgrade", has, knows)
	}
	if has == knows { // the usual case: no lock, and no waiting for others
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("ledger: migrate from schema %d to %d: %w", has, knows, err)
	}
	return nil
}
