//go:build linux

// Package moderncfault puts a VFS under modernc.org/sqlite that tells a faulttest.Disk of what
// it does. A program that imports it opens all its files through that VFS: it becomes the
// default one of the process. Files that are on no Disk are as they always were. It is for
// tests alone.
package moderncfault

import (
	"fmt"
	"sync"
	"unsafe"

	"modernc.org/libc"
	_ "modernc.org/sqlite" // sets up SQLite, before its default is changed
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/convostore/convostore/internal/faulttest"
)

// The types of the functions of a VFS and of its files, as SQLite calls them. Objects of C are
// addresses.
type (
	openFunc   func(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32
	deleteFunc func(tls *libc.TLS, vfs, name uintptr, syncDir int32) int32
	accessFunc func(tls *libc.TLS, vfs, name uintptr, flags int32, out uintptr) int32
	closeFunc  func(tls *libc.TLS, file uintptr) int32
	moveFunc   func(tls *libc.TLS, file, buf uintptr, n int32, at int64) int32
	cutFunc    func(tls *libc.TLS, file uintptr, size int64) int32
	flagFunc   func(tls *libc.TLS, file uintptr, flags int32) int32
	sizeFunc   func(tls *libc.TLS, file, out uintptr) int32
	shmMapFunc func(tls *libc.TLS, file uintptr, region, size, extend int32, out uintptr) int32
	shmLckFunc func(tls *libc.TLS, file uintptr, offset, n, flags int32) int32
)

// pointer makes a function pointer of C of a function.
func pointer[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) }

// function makes a function of a function pointer of C.
func function[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

// at is an object of C. Its memory is not Go's and does not move.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// bytes are the memory of a buffer of C.
func bytes(address uintptr, n int32) []byte { return unsafe.Slice(at[byte](address), n) }

var (
	// base is the VFS of the operating system.
	base uintptr
	// methods are those of its files by the address of the table, each with ours.
	methods sync.Map
	// files are the open files on disks by their address.
	files sync.Map
)

type file struct {
	disk *faulttest.Disk
	node *faulttest.Node
	// under are the methods of the operating system's file.
	under *sqlite3.Tsqlite3_io_methods
	// syncDir says that the first sync is one of the directory too.
	syncDir bool
}

func init() {
	tls := libc.NewTLS()
	defer tls.Close()
	if rc := sqlite3.Xsqlite3_initialize(tls); rc != sqlite3.SQLITE_OK {
		panic(fmt.Errorf("moderncfault: initialize: %d", rc))
	}
	base = sqlite3.Xsqlite3_vfs_find(tls, 0)
	name, err := libc.CString("faulty")
	if err != nil {
		panic(err)
	}
	mine := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_vfs{})))
	v := at[sqlite3.Tsqlite3_vfs](mine)
	*v = *at[sqlite3.Tsqlite3_vfs](base)
	v.FzName, v.FpNext = name, 0
	v.FxOpen = pointer[openFunc](open)
	v.FxDelete = pointer[deleteFunc](remove)
	v.FxAccess = pointer[accessFunc](access)
	if rc := sqlite3.Xsqlite3_vfs_register(tls, mine, 1); rc != sqlite3.SQLITE_OK {
		panic(fmt.Errorf("moderncfault: register: %d", rc))
	}
}

func open(tls *libc.TLS, _, name, f uintptr, flags int32, out uintptr) int32 {
	var path string
	if name != 0 {
		path = libc.GoString(name)
	}
	disk := faulttest.Of(path)
	if disk.Next(faulttest.Open) != faulttest.Works {
		at[sqlite3.Tsqlite3_file](f).FpMethods = 0
		return sqlite3.SQLITE_CANTOPEN
	}
	under := function[openFunc](at[sqlite3.Tsqlite3_vfs](base).FxOpen)
	rc := under(tls, base, name, f, flags, out)
	if rc != sqlite3.SQLITE_OK || disk == nil {
		return rc
	}
	const journals = sqlite3.SQLITE_OPEN_MAIN_JOURNAL | sqlite3.SQLITE_OPEN_SUPER_JOURNAL | sqlite3.SQLITE_OPEN_WAL
	was := at[sqlite3.Tsqlite3_file](f).FpMethods
	files.Store(f, &file{
		disk: disk, node: disk.Opened(path), under: at[sqlite3.Tsqlite3_io_methods](was),
		syncDir: flags&sqlite3.SQLITE_OPEN_CREATE != 0 && flags&journals != 0,
	})
	at[sqlite3.Tsqlite3_file](f).FpMethods = ours(was)
	return rc
}

// ours returns a table of methods for the one at an address. It is never freed: there are few.
func ours(was uintptr) uintptr {
	if known, ok := methods.Load(was); ok {
		return known.(uintptr)
	}
	tls := libc.NewTLS()
	defer tls.Close()
	table := libc.Xmalloc(tls, libc.Tsize_t(unsafe.Sizeof(sqlite3.Tsqlite3_io_methods{})))
	m := at[sqlite3.Tsqlite3_io_methods](table)
	*m = *at[sqlite3.Tsqlite3_io_methods](was)
	m.FxClose = pointer[closeFunc](shut)
	m.FxRead = pointer[moveFunc](read)
	m.FxWrite = pointer[moveFunc](write)
	m.FxTruncate = pointer[cutFunc](truncate)
	m.FxSync = pointer[flagFunc](flush)
	m.FxFileSize = pointer[sizeFunc](size)
	m.FxLock = pointer[flagFunc](lock)
	m.FxShmMap = pointer[shmMapFunc](shmMap)
	m.FxShmLock = pointer[shmLckFunc](shmLock)
	known, _ := methods.LoadOrStore(was, table)
	return known.(uintptr)
}

func of(f uintptr) *file {
	known, _ := files.Load(f)
	return known.(*file)
}

func remove(tls *libc.TLS, _, name uintptr, syncDir int32) int32 {
	path := libc.GoString(name)
	disk := faulttest.Of(path)
	if disk.Next(faulttest.Delete) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_DELETE
	}
	if disk == nil {
		return function[deleteFunc](at[sqlite3.Tsqlite3_vfs](base).FxDelete)(tls, base, name, syncDir)
	}
	rc := function[deleteFunc](at[sqlite3.Tsqlite3_vfs](base).FxDelete)(tls, base, name, 0)
	if rc == sqlite3.SQLITE_OK {
		disk.Deleted(path, syncDir != 0)
	}
	return rc
}

func access(tls *libc.TLS, _, name uintptr, flags int32, out uintptr) int32 {
	if faulttest.Of(libc.GoString(name)).Next(faulttest.Access) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_ACCESS
	}
	return function[accessFunc](at[sqlite3.Tsqlite3_vfs](base).FxAccess)(tls, base, name, flags, out)
}

func shut(tls *libc.TLS, f uintptr) int32 {
	under := of(f).under
	files.Delete(f)
	return function[closeFunc](under.FxClose)(tls, f)
}

func read(tls *libc.TLS, f, buf uintptr, n int32, offset int64) int32 {
	if of(f).disk.Next(faulttest.Read) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_READ
	}
	return function[moveFunc](of(f).under.FxRead)(tls, f, buf, n, offset)
}

func write(tls *libc.TLS, f, buf uintptr, n int32, offset int64) int32 {
	failed := int32(sqlite3.SQLITE_OK)
	switch of(f).disk.Next(faulttest.Write) {
	case faulttest.Broken:
		n, failed = n/2, sqlite3.SQLITE_IOERR_WRITE
	case faulttest.Full:
		n, failed = n/2, sqlite3.SQLITE_FULL
	case faulttest.Works:
	}
	rc := function[moveFunc](of(f).under.FxWrite)(tls, f, buf, n, offset)
	if rc == sqlite3.SQLITE_OK {
		of(f).node.Wrote(bytes(buf, n), offset)
		rc = failed
	}
	return rc
}

func truncate(tls *libc.TLS, f uintptr, bytes int64) int32 {
	if of(f).disk.Next(faulttest.Truncate) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_TRUNCATE
	}
	rc := function[cutFunc](of(f).under.FxTruncate)(tls, f, bytes)
	if rc == sqlite3.SQLITE_OK {
		of(f).node.Truncated(bytes)
	}
	return rc
}

// flush does not sync the real file: nobody cuts the power of that one.
func flush(_ *libc.TLS, f uintptr, _ int32) int32 {
	mine := of(f)
	if mine.disk.Next(faulttest.Sync) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_FSYNC
	}
	mine.node.Synced(mine.disk.Now(), mine.syncDir)
	mine.syncDir = false
	return sqlite3.SQLITE_OK
}

func size(tls *libc.TLS, f, out uintptr) int32 {
	if of(f).disk.Next(faulttest.Size) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_FSTAT
	}
	return function[sizeFunc](of(f).under.FxFileSize)(tls, f, out)
}

func lock(tls *libc.TLS, f uintptr, level int32) int32 {
	if of(f).disk.Next(faulttest.Lock) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_LOCK
	}
	return function[flagFunc](of(f).under.FxLock)(tls, f, level)
}

func shmMap(tls *libc.TLS, f uintptr, region, bytes, extend int32, out uintptr) int32 {
	if of(f).disk.Next(faulttest.SharedMap) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_SHMMAP
	}
	return function[shmMapFunc](of(f).under.FxShmMap)(tls, f, region, bytes, extend, out)
}

// shmLock lets every unlocking work, of which SQLite takes no notice.
func shmLock(tls *libc.TLS, f uintptr, offset, n, flags int32) int32 {
	if flags&sqlite3.SQLITE_SHM_UNLOCK == 0 && of(f).disk.Next(faulttest.SharedLock) != faulttest.Works {
		return sqlite3.SQLITE_IOERR_SHMLOCK
	}
	return function[shmLckFunc](of(f).under.FxShmLock)(tls, f, offset, n, flags)
}
