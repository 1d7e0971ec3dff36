package ledger

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// Options say where the ledger is and how much it takes.
type Options struct {
	// URL is "sqlite" (a file in Dir) or postgres://user:password@host/database with the parameters that pgx knows.
	URL string
	// Dir holds the SQLite file and its lock; it is created, for its owner only. PostgreSQL needs none.
	Dir string
	// Now gives the present time; nil means time.Now. It only stamps settings: events carry times of their own.
	Now    func() time.Time
	Logger zerolog.Logger
	// Registerer takes the metrics; nil keeps them out of sight.
	Registerer prometheus.Registerer
	// QueueLimit is how many tasks, and how many other operations, may wait for the writer; more are refused with
	// schemas.ErrOverloaded. Zero means 8192.
	QueueLimit int
	// Deadline is how long a caller waits for its commit before it gets schemas.ErrOverloaded. Zero means 5 s.
	Deadline time.Duration
}

// withDefaults fills what was left open.
func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.QueueLimit <= 0 {
		o.QueueLimit = 8192
	}
	if o.Deadline <= 0 {
		o.Deadline = 5 * time.Second
	}
	return o
}

var errURL = errors.New(`ledger: this is no ledger; use "sqlite", or postgres://user:password@host/database`)

// kind tells which database the URL names. The URL itself is never part of an error: it holds a password.
func (o Options) kind() (kind, error) {
	switch {
	case o.URL == string(kindSQLite):
		if o.Dir == "" {
			return "", fmt.Errorf("ledger: sqlite needs a directory; set data_dir")
		}
		return kindSQLite, nil
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return kindPostgres, nil
	}
	return "", errURL
}

// kind is one of the databases that a ledger can be kept in.
type kind string

const (
	kindSQLite   kind = "sqlite"
	kindPostgres kind = "postgres"
)
