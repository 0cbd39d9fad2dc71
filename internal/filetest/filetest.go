// Package filetest gives tests copies of a database of SQLite's, as pgtest.Copy does on
// PostgreSQL. It is for tests alone.
package filetest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// originals are what fill has made, by key.
var originals sync.Map

// original is the content of a file, made once.
type original struct {
	once    sync.Once
	content []byte
	err     error
}

// Copy writes a new file at path with what fill leaves in one. Migrating one takes many times as
// long as a copy: fill gets the path of a file of the same name, which is not there yet, at the
// first call with a key in this process, and every call gets a copy of that one. It must close
// what it opens. Its error fails the test, and all that use the same key.
func Copy(tb testing.TB, path, key string, fill func(path string) error) {
	tb.Helper()
	made, _ := originals.LoadOrStore(key, &original{})
	one := made.(*original)
	one.once.Do(func() { one.content, one.err = contentOf(filepath.Base(path), fill) })
	if one.err != nil {
		tb.Fatalf("filetest: fill the file to copy: %v", one.err)
	}
	if err := os.WriteFile(path, one.content, 0o600); err != nil {
		tb.Fatalf("filetest: copy the file: %v", err)
	}
}

// contentOf lets fill make a file and reads it.
func contentOf(name string, fill func(path string) error) (content []byte, err error) {
	dir, err := os.MkdirTemp("", "filetest")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, name)
	if err := fill(path); err != nil {
		return nil, err
	}
	// The last connection that is closed takes the log into the file.
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is still a log beside %s: %w", name, err)
	}
	return os.ReadFile(path)
}
