package mailimport

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-mbox"
)

// entry is where a mail is and what its place in the order depends on. It stays in
// memory for every mail, so ids are hashes: a long list of References would be more than
// all the rest.
type entry struct {
	path string
	// offset is where the mail begins in an mbox file, after its "From " line; -1 for a
	// file that is a mail.
	offset  int64
	date    time.Time
	id      uint64
	parents []uint64
}

// where names the mail in reports.
func (e *entry) where() string {
	if e.offset < 0 {
		return e.path
	}
	return fmt.Sprintf("%s at byte %d", e.path, e.offset)
}

type findings struct {
	mails    []entry
	problems problems
	seed     maphash.Seed
	// read counts the mails for progress.
	read     int
	progress func(stage string, done, total int)
}

// find reads the headers of all mails under the paths. Only a path that is not there at
// all is an error.
func find(ctx context.Context, paths []string, progress func(stage string, done, total int)) (*findings, error) {
	f := &findings{seed: maphash.MakeSeed(), progress: progress}
	progress(reading, 0, -1)
	for _, path := range paths {
		root, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return f.visit(root, path, d, err)
		})
		if err != nil {
			return nil, err
		}
	}
	progress(reading, f.read, f.read)
	return f, nil
}

func (f *findings) visit(root, path string, d fs.DirEntry, err error) error {
	switch {
	case err != nil:
		f.problems.add(path, err.Error(), true)
	case d.IsDir() && isMaildirTmp(path):
		// Mails that are being delivered, or never were.
		return fs.SkipDir
	case d.IsDir(), path != root && strings.HasPrefix(d.Name(), "."):
		// The dot files of mail programs are no mails. The folders of a Maildir have a
		// dot too, and are walked.
	default:
		f.visitFile(path)
	}
	return nil
}

// visitFile follows symbolic links, and leaves out pipes and devices, which might never
// end.
func (f *findings) visitFile(path string) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a file")
	}
	if err == nil {
		err = f.file(path)
	}
	if err != nil {
		f.problems.add(path, err.Error(), true)
	}
}

func isMaildirTmp(path string) bool {
	if filepath.Base(path) != "tmp" {
		return false
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(path), "cur"))
	return err == nil && info.IsDir()
}

// counter knows how far a file was read.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// file reads the headers of a mail or of all mails of an mbox.
func (f *findings) file(path string) (err error) {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	from := &counter{r: file}
	r := bufio.NewReaderSize(from, 64<<10)
	start, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if bytes.HasPrefix(bytes.TrimLeft(start, "\r\n"), []byte("From ")) {
		return f.mbox(path, r, from)
	}
	if len(start) == 0 {
		return errors.New("is empty")
	}
	return f.mail(entry{path: path, offset: -1}, r)
}

// mbox notes where each mail begins. The reader of the format buffers through r and
// through nothing else, so what is still in r's buffer has not been read by it.
func (f *findings) mbox(path string, r *bufio.Reader, from *counter) error {
	box := mbox.NewReader(r)
	for {
		m, err := box.NextMessage()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e := entry{path: path, offset: from.n - int64(r.Buffered())}
		if err := f.mail(e, m); err != nil {
			f.problems.add(e.where(), err.Error(), true)
		}
	}
}

// mail notes the mail that e points at, once its header has been read from r.
func (f *findings) mail(e entry, r io.Reader) error {
	f.read++
	f.progress(reading, f.read, -1)
	h, err := readHeader(bufio.NewReader(r))
	if err != nil {
		return err
	}
	e.date, _ = h.date()
	e.id = f.hash(h.messageID())
	for _, id := range h.parents() {
		e.parents = append(e.parents, f.hash(id))
	}
	f.mails = append(f.mails, e)
	return nil
}

// hash is 0 for no id.
func (f *findings) hash(id string) uint64 {
	if id == "" {
		return 0
	}
	return maphash.String(f.seed, id)
}

// maxMail bounds what is in memory at once.
const maxMail = 64 << 20

// read returns the mail as it is in the file.
func (e *entry) read() (raw []byte, err error) {
	file, err := os.Open(e.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if e.offset < 0 {
		return io.ReadAll(io.LimitReader(file, maxMail))
	}
	if _, err := file.Seek(e.offset, io.SeekStart); err != nil {
		return nil, err
	}
	// The line that the offset is behind, for the reader to find the format.
	m, err := mbox.NewReader(io.MultiReader(strings.NewReader("From -\n"), file)).NextMessage()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(m, maxMail))
}
