package mailimport

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/convostore/convostore/mailbox"
)

// entry is where a mail is and what its place in the order depends on. It stays in
// memory for every mail.
type entry struct {
	path   string
	offset int64
	folder string
	flags  mailbox.Flags
	date   time.Time
}

// where names the mail in reports.
func (e *entry) where() string { return (&mailbox.Item{Path: e.path, Offset: e.offset}).Where() }

type findings struct {
	mails    []entry
	problems problems
	// leftOut counts drafts, spam and trash.
	leftOut  int
	progress func(stage string, done, total int)
}

// errNoMail is the reason for a file that is something else.
var errNoMail = errors.New("is not a mail: it has no header")

// find reads all mails under the paths, and keeps where they are. Only a path that is not there
// at all is an error.
func find(ctx context.Context, o Options, own *databaseFiles) (*findings, error) {
	f := &findings{progress: o.Progress}
	f.progress(reading, 0, -1)
	for _, path := range o.Paths {
		if _, err := filepath.EvalSymlinks(path); err != nil {
			return nil, err
		}
	}
	read := 0
	for it, err := range mailbox.FilesExcept(ctx, own.has, o.Paths...) {
		var file *mailbox.FileError
		switch {
		case errors.As(err, &file):
			f.problems.add(file.Path, file.Err.Error(), true)
			continue
		case err != nil:
			return nil, err
		}
		read++
		f.progress(reading, read, -1)
		f.mail(it, o)
	}
	f.progress(reading, read, read)
	return f, nil
}

func (f *findings) mail(it *mailbox.Item, o Options) {
	m, err := parse(it, o.Mine)
	if err != nil {
		f.problems.add(it.Where(), err.Error(), true)
		return
	}
	switch m.Place {
	case mailbox.PlaceDrafts, mailbox.PlaceSpam, mailbox.PlaceTrash:
		if !o.All {
			f.leftOut++
			return
		}
	}
	f.mails = append(f.mails, entry{path: it.Path, offset: it.Offset, folder: it.Folder, flags: it.Flags, date: m.Message.SentAt})
}

// parse reads a mail, whose file's time stands in for a date that is missing.
func parse(it *mailbox.Item, mine []string) (*mailbox.Mail, error) {
	o := mailbox.Options{Own: mine}
	if info, err := os.Stat(it.Path); err == nil {
		o.ReceivedAt = info.ModTime()
	}
	m, err := it.Parse(o)
	if errors.Is(err, mailbox.ErrEmpty) || err == nil && !m.LooksLikeMail() {
		return nil, errNoMail
	}
	return m, err
}

// unpacked are compressed files that were read once: a mail in the middle of one cannot be found
// without reading all that comes before it.
type unpacked map[string]string

// open reads a mail again.
func (u unpacked) open(e *entry) (*mailbox.Item, error) {
	path := e.path
	if e.offset >= 0 {
		plain, err := u.plain(path)
		if err != nil {
			return nil, err
		}
		path = plain
	}
	it, err := mailbox.OpenItem(path, e.offset)
	if err != nil {
		return nil, err
	}
	it.Path, it.Folder, it.Flags = e.path, e.folder, e.flags
	return it, nil
}

// plain returns where the file can be read at any place, which is a copy of a compressed one.
func (u unpacked) plain(path string) (string, error) {
	if plain, ok := u[path]; ok {
		return plain, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	var start [2]byte
	if _, err := io.ReadFull(file, start[:]); err != nil || !bytes.Equal(start[:], []byte{0x1f, 0x8b}) {
		u[path] = path
		return path, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	z, err := gzip.NewReader(file)
	if err != nil {
		return "", err
	}
	copied, err := os.CreateTemp("", "importmail-*.mbox")
	if err != nil {
		return "", err
	}
	u[path] = copied.Name()
	_, err = io.Copy(copied, z)
	return copied.Name(), errors.Join(err, copied.Close())
}

// remove deletes the copies.
func (u unpacked) remove() (err error) {
	for path, plain := range u {
		if plain != path {
			err = errors.Join(err, os.Remove(plain))
		}
	}
	if err != nil {
		return fmt.Errorf("copies of compressed files: %w", err)
	}
	return nil
}
