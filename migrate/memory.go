package migrate

import (
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// memory is a file system of one directory. It maps names to contents. The standard library has
// such a file system only for tests.
type memory map[string]string

// Open implements fs.FS.
func (m memory) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	if name == "." {
		return &memoryDir{fs: m, left: slices.Sorted(maps.Keys(m))}, nil
	}
	content, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memoryFile{memoryInfo{name, int64(len(content))}, strings.NewReader(content)}, nil
}

type memoryFile struct {
	info memoryInfo
	*strings.Reader
}

func (f *memoryFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *memoryFile) Close() error               { return nil }

type memoryDir struct {
	fs   memory
	left []string // not yet read
}

func (d *memoryDir) Stat() (fs.FileInfo, error) { return memoryInfo{name: "."}, nil }
func (d *memoryDir) Close() error               { return nil }

func (d *memoryDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements fs.ReadDirFile.
func (d *memoryDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	entries := make([]fs.DirEntry, n)
	for i, name := range d.left[:n] {
		entries[i] = fs.FileInfoToDirEntry(memoryInfo{name, int64(len(d.fs[name]))})
	}
	d.left = d.left[n:]
	return entries, nil
}

type memoryInfo struct {
	name string
	size int64
}

func (i memoryInfo) Name() string       { return i.name }
func (i memoryInfo) Size() int64        { return i.size }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return i.name == "." }
func (i memoryInfo) Sys() any           { return nil }

func (i memoryInfo) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}
