package transfer

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ImportFile imports an export as it was downloaded: a ZIP, the directory that it was unpacked
// into, or a file of conversations. Of a ZIP and a directory it takes the files of conversations
// in the order of their names, in whatever folder they are; other files of the export, such as
// images, are not read. Without such a file it returns ErrInvalid. The rest is as for Import; the
// Index of a Problem counts on from file to file.
func ImportFile(ctx context.Context, st store.Store, user uuid.UUID, name string, o ImportOptions) (ImportResult, error) {
	info, err := os.Stat(name)
	if err != nil {
		return ImportResult{}, fmt.Errorf("convostore: %w", err)
	}
	if info.IsDir() {
		return importAll(ctx, st, user, os.DirFS(name), o)
	}
	f, err := os.Open(name)
	if err != nil {
		return ImportResult{}, fmt.Errorf("convostore: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	z, err := zip.NewReader(f, info.Size())
	if errors.Is(err, zip.ErrFormat) {
		return Import(ctx, st, user, &reading{Reader: f, total: info.Size(), tell: o.OnRead}, o)
	}
	if err != nil {
		return ImportResult{}, fmt.Errorf("convostore: read ZIP: %w", err)
	}
	return importAll(ctx, st, user, z, o)
}

func importAll(ctx context.Context, st store.Store, user uuid.UUID, files fs.FS, o ImportOptions) (ImportResult, error) {
	im, err := newImporter(st, user, o)
	if err != nil {
		return ImportResult{}, err
	}
	names, err := conversationFiles(files)
	if err != nil {
		return ImportResult{}, err
	}
	if len(names) == 0 {
		return ImportResult{}, rule.Invalid("file", "has no file of conversations")
	}
	total, err := sizeOf(files, names)
	if err != nil {
		return ImportResult{}, err
	}
	r := &reading{total: total, tell: o.OnRead}
	for _, name := range names {
		if err := importOne(ctx, im, files, name, r); err != nil {
			return im.result, im.checked(fmt.Errorf("%s: %w", name, err))
		}
	}
	return im.result, im.checked(nil)
}

// sizeOf adds up the sizes of files.
func sizeOf(files fs.FS, names []string) (total int64, err error) {
	for _, name := range names {
		info, err := fs.Stat(files, name)
		if err != nil {
			return 0, fmt.Errorf("convostore: %w", err)
		}
		total += info.Size()
	}
	return total, nil
}

// reading tells how much of several files is read, one after the other.
type reading struct {
	io.Reader
	read, total int64
	tell        func(read, total int64) // nil if nobody asks
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if r.read += int64(n); n > 0 && r.tell != nil {
		r.tell(r.read, r.total)
	}
	return n, err //nolint:wrapcheck // a Reader's io.EOF is compared
}

func importOne(ctx context.Context, im *importer, files fs.FS, name string, r *reading) error {
	f, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("convostore: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	r.Reader = f
	return im.run(ctx, r)
}

// conversationFiles returns the names of the files of conversations, sorted.
func conversationFiles(files fs.FS) (names []string, err error) {
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("convostore: %w", err)
		}
		if d.Type().IsRegular() && isConversations(path.Base(name)) {
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return names, err
}

func isConversations(base string) bool {
	base = strings.ToLower(base)
	switch path.Ext(base) {
	case ".json":
		return strings.HasPrefix(base, "conversations") || strings.HasPrefix(base, "chat-export") || strings.HasPrefix(base, "chats")
	case ".jsonl":
		return true
	}
	return false
}
