package mailbox

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// FileError is a file that could not be read, or that is none. The walk goes on behind it.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string { return e.Path + ": " + e.Err.Error() }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// Files returns the mails under the paths: mbox files in any dialect, Maildirs, single mails
// (.eml, .emlx) and folders with any of these, each of them also compressed by gzip. What a file
// is, is told by what is in it. Memory holds one mail at a time.
//
// A file that cannot be read is yielded as a *FileError, and the walk goes on; so is a path that
// is not there. When ctx is done its error is the last one. Files whose names begin with a dot
// are left out, and so are mails that are being delivered, in the tmp of a Maildir.
func Files(ctx context.Context, paths ...string) iter.Seq2[*Item, error] {
	return FilesExcept(ctx, func(string, fs.FileInfo) bool { return false }, paths...)
}

// FilesExcept is Files without the files for which skip returns true. Skip is asked before a file is
// opened, with the path where the walk met it and with what a symbolic link there leads to.
func FilesExcept(ctx context.Context, skip func(path string, info fs.FileInfo) bool, paths ...string) iter.Seq2[*Item, error] {
	return func(yield func(*Item, error) bool) {
		w := walk{ctx: ctx, yield: yield, skip: skip}
		for _, path := range paths {
			if !w.root(path) {
				return
			}
		}
	}
}

// OpenItem reads the mail of a file again that Files yielded with this path and offset. Folder and
// Flags of a single mail are left to the caller, who has them from Files. In a compressed file
// everything before the mail is read as well.
func OpenItem(path string, offset int64) (it *Item, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	r, compressed, err := decompress(file)
	switch {
	case err != nil:
		return nil, err
	case offset < 0:
		return single(path, r)
	case compressed:
		_, err = io.CopyN(io.Discard, r, offset)
	default:
		_, err = file.Seek(offset, io.SeekStart)
		r = bufio.NewReader(file)
	}
	if err != nil {
		return nil, err
	}
	for it, err := range Mbox(io.MultiReader(strings.NewReader("From -\n"), r), Auto) {
		if err == nil {
			it.Path, it.Offset, it.Folder = path, offset, mboxFolder(path)
		}
		return it, err
	}
	return nil, io.ErrUnexpectedEOF
}

// errStop ends a walk whose caller wants no more.
var errStop = errors.New("stop")

type walk struct {
	ctx   context.Context //nolint:containedctx // lives as long as the loop over the sequence
	yield func(*Item, error) bool
	skip  func(path string, info fs.FileInfo) bool
	start string
}

// root walks a path, and reports whether the caller wants more.
func (w *walk) root(path string) bool {
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return w.yield(nil, &FileError{path, err})
	}
	w.start = root
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case w.ctx.Err() != nil:
			return w.ctx.Err()
		case err != nil:
			return w.fail(path, err)
		case d.IsDir() && isMaildirTmp(path):
			return fs.SkipDir
		case d.IsDir(), path != root && strings.HasPrefix(d.Name(), "."):
			return nil
		}
		return w.file(path)
	})
	if err != nil && !errors.Is(err, errStop) {
		w.yield(nil, err)
	}
	return err == nil
}

func (w *walk) fail(path string, err error) error {
	if !w.yield(nil, &FileError{path, err}) {
		return errStop
	}
	return nil
}

func isMaildirTmp(path string) bool {
	if filepath.Base(path) != "tmp" {
		return false
	}
	info, err := os.Stat(filepath.Join(filepath.Dir(path), "cur"))
	return err == nil && info.IsDir()
}

// file follows symbolic links, and leaves out pipes and devices, which might never end.
func (w *walk) file(path string) error {
	info, err := os.Stat(path)
	if err == nil && w.skip(path, info) {
		return nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("is not a file")
	}
	if err == nil && info.Size() == 0 {
		err = ErrEmpty
	}
	if err != nil {
		return w.fail(path, err)
	}
	file, err := os.Open(path)
	if err != nil {
		return w.fail(path, err)
	}
	err = w.mails(path, file)
	if closed := file.Close(); err == nil && closed != nil {
		err = w.fail(path, closed)
	}
	return err
}

// decompress reads through gzip where the first bytes say so.
func decompress(file io.Reader) (r *bufio.Reader, compressed bool, err error) {
	r = bufio.NewReaderSize(file, windowStep)
	if start, _ := r.Peek(2); !bytes.Equal(start, []byte{0x1f, 0x8b}) {
		return r, false, nil
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, true, err
	}
	return bufio.NewReaderSize(z, windowStep), true, nil
}

func (w *walk) mails(path string, file io.Reader) error {
	r, _, err := decompress(file)
	if err != nil {
		return w.fail(path, err)
	}
	start, err := r.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return w.fail(path, err)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(bytes.TrimPrefix(start, []byte("\xef\xbb\xbf")), "\r\n"), fromLine) {
		it, err := single(path, r)
		if err != nil {
			return w.fail(path, err)
		}
		w.describe(it)
		return w.give(it)
	}
	for it, err := range Mbox(r, Auto) {
		if err != nil {
			return w.fail(path, err)
		}
		it.Path, it.Folder = path, mboxFolder(path)
		if err := w.give(it); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) give(it *Item) error {
	if !w.yield(it, nil) {
		return errStop
	}
	return w.ctx.Err()
}

// single reads a file that is one mail.
func single(path string, r *bufio.Reader) (*Item, error) {
	limit := int64(MaxBytes)
	if strings.HasSuffix(strings.TrimSuffix(path, ".gz"), ".emlx") {
		// Apple Mail writes the length before the mail, and a property list behind it.
		first, err := r.ReadString('\n')
		n, bad := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
		if err != nil || bad != nil || n < 0 {
			return nil, fmt.Errorf("begins with no length: %.20q", first)
		}
		limit = min(limit, n)
	}
	raw, err := io.ReadAll(io.LimitReader(r, limit))
	if err != nil {
		return nil, err
	}
	it := &Item{Path: path, Offset: -1, Raw: raw}
	if limit == MaxBytes && len(raw) == MaxBytes {
		_, err := r.ReadByte()
		it.Cut = err == nil
	}
	return it, nil
}

// describe reads the folder and the flags of a single mail from its path.
func (w *walk) describe(it *Item) {
	dir, name := filepath.Split(it.Path)
	dir = filepath.Clean(dir)
	switch filepath.Base(dir) {
	case "cur", "new":
		it.Folder = maildirFolder(w.start, filepath.Dir(dir))
		it.Flags = maildirFlags(name)
	default:
		it.Folder = relative(filepath.Dir(w.start), dir)
	}
}

// maildirFolder reads .Sent.2026 of Maildir++ as Sent/2026, and folders in folders as they are.
func maildirFolder(root, dir string) string {
	if base := filepath.Base(dir); strings.HasPrefix(base, ".") && len(base) > 1 {
		return folderName(strings.ReplaceAll(base[1:], ".", "/"))
	}
	if folder := folderName(relative(root, dir)); folder != "" {
		return folder
	}
	return "INBOX"
}

func relative(root, dir string) string {
	path, err := filepath.Rel(root, dir)
	if err != nil || path == "." || strings.HasPrefix(path, "..") {
		return ""
	}
	return filepath.ToSlash(path)
}

// folderName decodes the UTF-7 that IMAP servers write the names of folders in.
func folderName(name string) string {
	if !strings.Contains(name, "&") || strings.Contains(name, "+") {
		return name
	}
	decoded, v := decodeUTF7([]byte(strings.NewReplacer("&", "+", ",", "/", "/", "\x01").Replace(name)))
	if v != asNamed {
		return name
	}
	decoded = strings.ReplaceAll(decoded, "\x01", "/")
	return strings.ReplaceAll(decoded, "+", "&")
}

// maildirFlags reads what comes behind ":2,", which is ";2," or "!2," where a colon is no letter
// of a name.
func maildirFlags(name string) (f Flags) {
	cut := strings.LastIndex(name, "2,")
	if cut < 1 || !strings.ContainsRune(":;!", rune(name[cut-1])) {
		return f
	}
	for _, c := range strings.TrimSuffix(name[cut+2:], ".gz") {
		switch c {
		case 'S':
			f.Seen = true
		case 'R':
			f.Answered = true
		case 'F':
			f.Flagged = true
		case 'D':
			f.Draft = true
		case 'T':
			f.Deleted = true
		case 'P':
			f.Forwarded = true
		}
	}
	return f
}

// mboxFolder is the name of the file, less what says that it is a mbox. Apple Mail puts a file of
// the name mbox into a folder Sent.mbox.
func mboxFolder(path string) string {
	name := filepath.Base(path)
	if strings.EqualFold(name, "mbox") {
		name = filepath.Base(filepath.Dir(path))
	}
	name = strings.TrimSuffix(name, ".gz")
	for _, ext := range []string{".mbox", ".mbx", ".mboxrd", ".mbs"} {
		name = strings.TrimSuffix(name, ext)
	}
	return folderName(name)
}
