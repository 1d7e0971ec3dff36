package main

import (
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas/signature"
)

//go:embed starter.yaml
var starter string

const starterName = "resetd.yaml"

// placeholder stands where only the operator knows the secret. It loads, and the system will refuse it.
const placeholder = "put-the-password-of-bind_dn-here"

// initCommand makes `resetd init`.
func initCommand() *cobra.Command {
	var dir string
	var force bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a commented starter configuration with fresh keys",
		Long: `Writes resetd.yaml and the keys it refers to, each in a file that only you can read. Nothing is ever overwritten: with
--force an older resetd.yaml is kept under another name, and keys that are there are kept and used.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s := site{dir: dir, now: time.Now()}
			if err := s.write(force); err != nil {
				return err
			}
			s.tell(c)
			return nil
		},
	}
	c.Flags().StringVar(&dir, "dir", ".", "the folder to write into; it is made if need be")
	c.Flags().BoolVar(&force, "force", false, "write a new resetd.yaml although there is one")
	return c
}

// site is the folder that init fills.
type site struct {
	dir     string
	now     time.Time
	written []string // what is new
	kept    []string // what was there and stays
}

// secretFiles is what the starter refers to.
var secretFiles = []struct {
	name  string
	fresh func() string
}{
	{"soar.key", newKey},
	{"soar-callback.key", newKey},
	{"ops.token", newToken},
	{"admin.token", newToken},
	{"corp-ldap.password", func() string { return placeholder }},
}

// newKey makes a Standard Webhooks key, as text.
func newKey() string { return signature.GenerateSymmetric().Reveal() }

// newToken makes an API token of 256 random bits.
func newToken() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return hex.EncodeToString(b[:])
}

// write makes the folder, the secrets and last the configuration: if it stops in the middle, there is no configuration
// that refers to what is not there.
func (s *site) write(force bool) error {
	if err := os.MkdirAll(filepath.Join(s.dir, "keys"), 0o700); err != nil {
		return fmt.Errorf("the folder for the keys cannot be made: %w; name another with --dir", err)
	}
	file := filepath.Join(s.dir, starterName)
	if _, err := os.Lstat(file); err == nil {
		if !force {
			return &exit{exitUsage, fmt.Errorf("%s is there already; use it, name another folder with --dir, or write a new one beside it with --force", file)}
		}
		old := file + "." + s.now.UTC().Format("20060102T150405Z")
		if _, err := os.Lstat(old); err == nil {
			return fmt.Errorf("%s is there already, from this very second; try again", old)
		}
		if err := os.Rename(file, old); err != nil {
			return fmt.Errorf("the old %s cannot be kept as %s: %w", file, old, err)
		}
		s.kept = append(s.kept, old)
	}
	for _, f := range secretFiles {
		if err := s.create(filepath.Join(s.dir, "keys", f.name), f.fresh()+"\n"); err != nil {
			return err
		}
	}
	return s.create(file, starter)
}

// create writes a file that is not there, for its owner alone; one that is there stays as it is.
func (s *site) create(file, text string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		s.kept = append(s.kept, file)
		return nil
	}
	if err == nil {
		_, err = f.WriteString(text)
		// A key that was given to a sender must outlive a power cut.
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w; check the folder and the space on its disk", file, err)
	}
	s.written = append(s.written, file)
	return nil
}

// tell prints what was done and what to do next. The commands can be copied as they stand.
func (s *site) tell(c *cobra.Command) {
	out := c.OutOrStdout()
	for _, f := range s.written {
		fmt.Fprintln(out, "wrote", f)
	}
	for _, f := range s.kept {
		fmt.Fprintln(out, "kept ", f)
	}
	file := shellWord(filepath.Join(s.dir, starterName))
	fmt.Fprintf(out, `
Next:
 1. Edit systems: in %[1]s, and put the password of bind_dn into %[2]s.
 2. See whether everything answers; this changes nothing:
      resetd check -c %[1]s
 3. Start it:
      resetd serve -c %[1]s
 4. In another terminal, ask for a reset that only looks:
      resetd send -c %[1]s --source soar --account jdoe@example.com --dry-run --wait
    It ends as unsuccessful (permission_missing) for now; its line resolve names the account that was found.
 5. When that is the right one, set enforcement: granted in %[1]s, start it again, and send without --dry-run.

Give keys/soar.key to whoever sends webhooks as soar, by a safe way. keys/ops.token opens the API; keys/admin.token also
grants permissions (resetd systems grant, revert). With -c, every command takes the weakest token that suffices.
`, file, shellWord(filepath.Join(s.dir, "keys", "corp-ldap.password")))
}

// shellWord quotes a path for a POSIX shell where it needs it.
func shellWord(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+,=", r)
	}) {
		return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
	}
	return path
}
