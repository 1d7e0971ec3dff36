package ledger

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// networkDisks are the file systems on which SQLite's log cannot work: it needs memory shared between processes, and
// locks and syncs that are kept (https://sqlite.org/wal.html, "All processes using a database must be on the same host").
var networkDisks = map[uint32]string{
	unix.NFS_SUPER_MAGIC:  "NFS",
	unix.SMB_SUPER_MAGIC:  "SMB",
	unix.SMB2_SUPER_MAGIC: "SMB",
	unix.CIFS_SUPER_MAGIC: "SMB",
	unix.AFS_SUPER_MAGIC:  "AFS",
}

// localDisk refuses a directory on a network file system.
func localDisk(dir string) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return nil // it cannot be told; opening the file will say more
	}
	if name, ok := networkDisks[uint32(s.Type)]; ok {
		return fmt.Errorf("ledger: %s lies on %s, where SQLite loses data; set data_dir to a local disk, or use PostgreSQL", dir, name)
	}
	return nil
}
