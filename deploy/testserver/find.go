package testserver

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

// The folders besides PATH where distributions keep server programs: an
// unprivileged user's PATH often lacks the sbin folders. A pattern's last match
// wins, which for PostgreSQL is the newest version. deploy/test-servers.sh looks
// in the same places; a test compares the two.
var programDirs = []string{
	"/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin",
	"/usr/libexec", "/usr/lib/openldap",
	"/opt/homebrew/bin", "/opt/homebrew/opt/openldap/libexec", "/usr/local/opt/openldap/libexec",
	"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin",
}

// need describes a server's programs: several names where forks carry on.
type need struct {
	server, pkg string
	programs    []string
}

var (
	needSlapd    = need{"slapd", "slapd", []string{"slapd"}}
	needRedis    = need{"redis", "redis-server", []string{"redis-server", "valkey-server"}}
	needInitdb   = need{"postgres", "postgresql", []string{"initdb"}}
	needPostgres = need{"postgres", "postgresql", []string{"postgres"}}
)

// searchDirs returns the folders to look in besides PATH: those that
// RESETD_TEST_DIRS lists, separated by colons, or else the distributions' own.
func searchDirs() []string {
	if dirs, ok := os.LookupEnv("RESETD_TEST_DIRS"); ok {
		return filepath.SplitList(dirs)
	}
	return programDirs
}

// find returns the path of the first of the programs that is installed, or a
// *MissingError.
func (n need) find() (string, error) {
	for _, program := range n.programs {
		if path, err := exec.LookPath(program); err == nil {
			if path, err = filepath.Abs(path); err == nil {
				return path, nil
			}
		}
		for _, pattern := range searchDirs() {
			paths, err := filepath.Glob(filepath.Join(pattern, program))
			if err != nil {
				continue
			}
			for _, path := range slices.Backward(paths) {
				if executable(path) {
					return path, nil
				}
			}
		}
	}
	return "", n.missing()
}

// in returns the path of the first of the programs that lies in the folder, or
// a *MissingError.
func (n need) in(dir string) (string, error) {
	for _, program := range n.programs {
		if path := filepath.Join(dir, program); executable(path) {
			return path, nil
		}
	}
	return "", n.missing()
}

func (n need) missing() error {
	return &MissingError{Server: n.server, Program: n.programs[0], Package: n.pkg}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// firstDir returns the first of the folders that exists, or "".
func firstDir(dirs []string) string {
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err == nil && info.IsDir() {
			return dir
		}
	}
	return ""
}
