package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"github.com/resetd/resetd/cmd/resetd/config"
)

// How long a stop may take: first for calls over HTTP, then for workers in the middle of an enforcement.
const (
	httpGrace   = 10 * time.Second
	workerGrace = 25 * time.Second
)

// How often tasks that are older than the retention are deleted, and how many in one transaction.
const (
	purgeEvery = time.Hour
	purgeChunk = 500
)

func serveCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "serve", Short: "Take webhooks and force password resets", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := loadConfig(cmd, file)
			if err != nil {
				return err
			}
			if err := enough(c); err != nil {
				return err
			}
			tune()
			return serve(cmd.Context(), c, newLogger(c.Log, cmd.ErrOrStderr()), nil)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "resetd.yaml", "configuration file")
	return cmd
}

// heapGrowth lets the heap grow to five times what is alive before it is collected. What is alive is a few megabytes, so
// under load it would be collected dozens of times a second otherwise, which takes a tenth of the processor.
const heapGrowth = 400

// tune sets up the runtime for a server, unless the environment does.
func tune() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
}

// serve runs a whole resetd until ctx ends, then stops it in order. ready, if not nil, is called once it takes webhooks.
func serve(ctx context.Context, c *config.Config, log zerolog.Logger, ready func(a *app)) error {
	certificates, err := serverTLS(c) // before anything is begun
	if err != nil {
		return err
	}
	a, err := open(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), workerGrace)
		defer cancel()
		a.close(grace)
		if ctx.Err() != nil {
			log.Info().Msg("resetd has stopped")
		}
	}()
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen on %s (listen in %s): %w; choose another address, or stop what uses it", c.Listen, c.File, err)
	}
	if err := a.start(ctx); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := a.server()
	server.TLSConfig = certificates
	failed := make(chan error, 1)
	go func() { failed <- listen(server, listener) }()
	log.Info().Str("listen", listener.Addr().String()).Str("ledger", c.Ledger.String()).Str("queue", c.Queue.String()).
		Str("version", buildInfo().Version).Msg("resetd takes webhooks")
	stopPurge := a.purgeRegularly(ctx)
	defer stopPurge()
	if ready != nil {
		ready(a)
	}
	select {
	case err := <-failed:
		return fmt.Errorf("serve HTTP: %w", err)
	case <-ctx.Done():
	}
	log.Info().Msg("stopping: no more webhooks are taken, and what workers hold is finished")
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpGrace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil && !errors.Is(err, http.ErrServerClosed) {
		_ = server.Close()
	}
	return nil
}

// purgeRegularly deletes what is older than the retention, at once and then every hour, and lets the queue tidy up.
func (a *app) purgeRegularly(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(purgeEvery)
		defer tick.Stop()
		for {
			a.purge(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (a *app) purge(ctx context.Context) {
	total := 0
	for ctx.Err() == nil {
		n, err := a.ledger.Purge(ctx, time.Now().Add(-a.config.Retention.Tasks), purgeChunk)
		if err != nil {
			if ctx.Err() == nil {
				a.log.Warn().Err(err).Msg("cannot delete tasks that are older than the retention; trying again in an hour")
			}
			return
		}
		total += n
		if n < purgeChunk {
			break
		}
	}
	if total > 0 {
		a.log.Info().Int("tasks", total).Msg("deleted tasks that are older than the retention")
	}
	if _, err := a.queue.Tidy(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn().Err(err).Msg("cannot tidy the queue; trying again in an hour")
	}
}

// colourful tells whether colours are of use: on a terminal whose user has not forbidden them by NO_COLOR
// (https://no-color.org: any text that is not empty). Every other character device shows them to nobody.
func colourful(to io.Writer) bool {
	f, ok := to.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// newLogger makes the logger that the configuration asks for. Times are RFC 3339 with milliseconds.
func newLogger(c config.Log, to io.Writer) zerolog.Logger {
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	if c.Format == "console" {
		to = zerolog.ConsoleWriter{Out: to, TimeFormat: "15:04:05.000", NoColor: !colourful(to)}
	}
	level, err := zerolog.ParseLevel(c.Level)
	if err != nil {
		level = zerolog.InfoLevel // the configuration was checked
	}
	logger := zerolog.New(to).Level(level).With().Timestamp().Logger()
	// What the standard library has to say goes the same way: net/http prints there what a receiver sends out of turn.
	stdlog.SetFlags(0)
	stdlog.SetOutput(logger.With().Str("from", "net/http").Logger())
	return logger
}
