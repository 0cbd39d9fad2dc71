package ncrucestest

import (
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"

	"github.com/convostore/convostore/internal/faulttest"
)

// The VFS "faulty" is that of the operating system, and tells a faulttest.Disk of what it does.
func init() { vfs.Register("faulty", faultyVFS{vfs.Find("os")}) }

type faultyVFS struct{ vfs.VFS }

func (v faultyVFS) Open(name string, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if name == "" {
		return v.OpenFilename(nil, flags)
	}
	return nil, flags, sqlite3.CANTOPEN
}

func (v faultyVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	disk := faulttest.Of(name.String())
	if disk.Next(faulttest.Open) != faulttest.Works {
		return nil, flags, sqlite3.CANTOPEN
	}
	file, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err != nil || disk == nil {
		return file, flags, err
	}
	const journals = vfs.OPEN_MAIN_JOURNAL | vfs.OPEN_SUPER_JOURNAL | vfs.OPEN_WAL
	return &faultyFile{
		File: file, disk: disk, node: disk.Opened(name.String()),
		syncDir: flags&vfs.OPEN_CREATE != 0 && flags&journals != 0,
	}, flags, nil
}

func (v faultyVFS) Delete(name string, syncDir bool) error {
	disk := faulttest.Of(name)
	if disk.Next(faulttest.Delete) != faulttest.Works {
		return sqlite3.IOERR_DELETE
	}
	err := v.VFS.Delete(name, false)
	if err == nil && disk != nil {
		disk.Deleted(name, syncDir)
	}
	return err
}

func (v faultyVFS) Access(name string, flags vfs.AccessFlag) (bool, error) {
	if faulttest.Of(name).Next(faulttest.Access) != faulttest.Works {
		return false, sqlite3.IOERR_ACCESS
	}
	return v.VFS.Access(name, flags)
}

// faultyFile is a file on a disk.
type faultyFile struct {
	vfs.File
	disk *faulttest.Disk
	node *faulttest.Node
	// syncDir says that the first sync is one of the directory too.
	syncDir bool
}

func (f *faultyFile) ReadAt(p []byte, off int64) (int, error) {
	if f.disk.Next(faulttest.Read) != faulttest.Works {
		return 0, sqlite3.IOERR_READ
	}
	return f.File.ReadAt(p, off)
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	var failed error
	switch f.disk.Next(faulttest.Write) {
	case faulttest.Broken:
		p, failed = p[:len(p)/2], sqlite3.IOERR_WRITE
	case faulttest.Full:
		p, failed = p[:len(p)/2], sqlite3.FULL
	case faulttest.Works:
	}
	n, err := f.File.WriteAt(p, off)
	if err == nil {
		f.node.Wrote(p, off)
		err = failed
	}
	return n, err
}

func (f *faultyFile) Truncate(size int64) error {
	if f.disk.Next(faulttest.Truncate) != faulttest.Works {
		return sqlite3.IOERR_TRUNCATE
	}
	err := f.File.Truncate(size)
	if err == nil {
		f.node.Truncated(size)
	}
	return err
}

// Sync does not sync the real file: nobody cuts the power of that one.
func (f *faultyFile) Sync(vfs.SyncFlag) error {
	if f.disk.Next(faulttest.Sync) != faulttest.Works {
		return sqlite3.IOERR_FSYNC
	}
	f.node.Synced(f.disk.Now(), f.syncDir)
	f.syncDir = false
	return nil
}

func (f *faultyFile) Size() (int64, error) {
	if f.disk.Next(faulttest.Size) != faulttest.Works {
		return 0, sqlite3.IOERR_FSTAT
	}
	return f.File.Size()
}

func (f *faultyFile) Lock(lock vfs.LockLevel) error {
	if f.disk.Next(faulttest.Lock) != faulttest.Works {
		return sqlite3.IOERR_LOCK
	}
	return f.File.Lock(lock)
}

// What SQLite asks of a file beyond that goes to the file itself.

func (f *faultyFile) Unwrap() vfs.File               { return f.File }
func (f *faultyFile) SharedMemory() vfs.SharedMemory { return vfsutil.WrapSharedMemory(f.File) }
func (f *faultyFile) LockState() vfs.LockLevel       { return vfsutil.WrapLockState(f.File) }
func (f *faultyFile) PersistWAL() bool               { return vfsutil.WrapPersistWAL(f.File) }
func (f *faultyFile) SetPersistWAL(keep bool)        { vfsutil.WrapSetPersistWAL(f.File, keep) }
func (f *faultyFile) PowersafeOverwrite() bool       { return vfsutil.WrapPowersafeOverwrite(f.File) }

func (f *faultyFile) SetPowersafeOverwrite(safe bool) {
	vfsutil.WrapSetPowersafeOverwrite(f.File, safe)
}
func (f *faultyFile) HasMoved() (bool, error) { return vfsutil.WrapHasMoved(f.File) }
