package testserver

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// sambaTools are the programs that a domain is made and run with.
type sambaTools struct{ samba, tool, ldbmodify, ldbsearch string }

const sambaPackages = "samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba ldb-tools krb5-user"

// needSamba stands for all programs of a domain controller: deploy/test-servers.sh tells of them as one server, too.
var needSamba = need{"samba", sambaPackages, []string{"samba"}}

// findSamba returns a *MissingError for the first program that is not installed. Kerberos' kinit is among them: without it
// half of what a domain controller does could not be tested.
func findSamba() (t sambaTools, err error) {
	for program, path := range map[string]*string{"samba": &t.samba, "samba-tool": &t.tool, "ldbmodify": &t.ldbmodify, "ldbsearch": &t.ldbsearch, "kinit": new(string)} {
		if *path, err = (need{needSamba.server, needSamba.pkg, []string{program}}).find(); err != nil {
			return sambaTools{}, err
		}
	}
	return t, nil
}

// sambaSeed is what a domain was made with; it lies beside it in samba.json.
type sambaSeed struct{ Admin, Service, Reader, Secret string }

// domain puts a domain into the folder: a copy of the one in the cache, which it makes first if it is not there.
func (t sambaTools) domain(ctx context.Context, settings sambaSettings, space *workspace) (sambaSeed, error) {
	cache, err := t.cache(settings)
	if err != nil { // no home, as for some service users: then without
		return t.provision(ctx, settings, space)
	}
	if _, err := os.Stat(filepath.Join(cache, "samba.json")); errors.Is(err, fs.ErrNotExist) {
		if err := t.fill(ctx, settings, cache); err != nil {
			return sambaSeed{}, err
		}
	}
	if err := copyTree(cache, space.path); err != nil {
		return sambaSeed{}, err
	}
	return readSeed(space)
}

// cache names the folder that holds a domain made by this version of Samba and of this package.
func (t sambaTools) cache(settings sambaSettings) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	version, err := exec.Command(t.samba, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking for samba's version: %w", err)
	}
	// Whatever the domain is made of is part of its name.
	sum := sha256.Sum256(bytes.Join([][]byte{version, sambaEntries(settings, "secret", sambaSeed{}), []byte(sambaRights), sambaConfig("", "")}, []byte{0}))
	return filepath.Join(dir, "resetd", "samba-"+hex.EncodeToString(sum[:8])), nil
}

// fill makes the domain in the cache. Of several test processes at the same time the first to end wins, and the others throw
// theirs away.
func (t sambaTools) fill(ctx context.Context, settings sambaSettings, cache string) error {
	if err := os.MkdirAll(filepath.Dir(cache), 0o700); err != nil {
		return fmt.Errorf("cache for samba: %w", err)
	}
	draft, err := os.MkdirTemp(filepath.Dir(cache), "samba-draft-")
	if err != nil {
		return fmt.Errorf("cache for samba: %w", err)
	}
	defer func() { _ = os.RemoveAll(draft) }() // gone already if it became the cache
	if _, err := t.provision(ctx, settings, &workspace{path: draft}); err != nil {
		return err
	}
	if err := os.Rename(draft, cache); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(filepath.Join(cache, "samba.json")); there != nil {
			return fmt.Errorf("cache for samba: %w", err)
		}
	}
	return nil
}

// provision makes a domain and its people.
func (t sambaTools) provision(ctx context.Context, settings sambaSettings, space *workspace) (sambaSeed, error) {
	for _, folder := range sambaFolders {
		if err := space.mkdir(folder); err != nil {
			return sambaSeed{}, err
		}
	}
	seed := sambaSeed{Admin: "Aa1-" + newPassword(), Service: "Aa1-" + newPassword(), Reader: "Aa1-" + newPassword(), Secret: newPassword()}
	config, sam := space.file("smb.conf"), space.file("private/sam.ldb")
	if err := space.write("smb.conf", sambaConfig(space.path, "127.0.0.1")); err != nil {
		return seed, err
	}
	if err := space.run(ctx, t.tool, "domain", "provision", "--configfile="+config, "--realm=RESETD.TEST", "--domain=RESETD", "--server-role=dc",
		"--dns-backend=NONE", "--adminpass="+seed.Admin, "--host-name=dc1", "--host-ip=127.0.0.1", "--quiet"); err != nil {
		return seed, err
	}
	if err := space.write("people.ldif", sambaEntries(settings, seed.Secret, seed)); err != nil {
		return seed, err
	}
	// ldbmodify and not ldbadd: the groups get members, too.
	if err := space.run(ctx, t.ldbmodify, "--configfile="+config, "-H", sam, space.file("people.ldif")); err != nil {
		return seed, err
	}
	if err := t.grant(ctx, space); err != nil {
		return seed, err
	}
	text, err := json.Marshal(seed)
	if err != nil {
		return seed, err
	}
	return seed, space.write("samba.json", text)
}

// readSeed reads what a copied domain was made with.
func readSeed(space *workspace) (seed sambaSeed, err error) {
	text, err := os.ReadFile(space.file("samba.json"))
	if err != nil {
		return seed, fmt.Errorf("reading the domain's passwords: %w", err)
	}
	return seed, json.Unmarshal(text, &seed)
}

// copyTree copies folders and files into a folder that is there. Sockets, which a server left, stay behind.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		switch {
		case err != nil || name == ".":
			return err
		case entry.IsDir():
			return os.Mkdir(filepath.Join(to, name), 0o700)
		case !entry.Type().IsRegular():
			return nil
		}
		return copyFile(path, filepath.Join(to, name))
	})
}

func copyFile(from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = source.Close() }() // only read
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
