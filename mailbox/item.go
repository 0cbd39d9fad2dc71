package mailbox

import (
	"fmt"
)

// Item is a mail in a file that is not parsed yet.
type Item struct {
	// Path names the file, "" for a mail of a reader.
	Path string
	// Offset is where the mail begins in a mbox file, behind its "From " line and after
	// decompression; -1 for a file that is one mail.
	Offset int64
	// Folder and Flags are what the place and the name of the file, or the file's own fields,
	// say.
	Folder string
	Flags  Flags
	// Gmail says that the mail is in a mbox file and begins with the field that Gmail's export puts
	// before all others.
	Gmail bool
	// Raw is the mail, whose bytes the item owns. Cut says that it was larger than MaxBytes.
	Raw []byte
	Cut bool
}

// Where names the mail in a report: the file, and the place in it.
func (it *Item) Where() string {
	if it.Offset < 0 {
		return it.Path
	}
	return fmt.Sprintf("%s at byte %d", it.Path, it.Offset)
}

// Parse parses the mail. The folder and the flags of the file are added to those of the options,
// whose folder goes before.
func (it *Item) Parse(o Options) (*Mail, error) {
	if o.Folder == "" {
		o.Folder = it.Folder
	}
	o.Flags = o.Flags.or(it.Flags)
	o.Gmail = o.Gmail || it.Gmail
	m, err := Parse(it.Raw, o)
	if err == nil && it.Cut {
		m.Problems = append(m.Problems, tooLarge)
	}
	return m, err
}

var tooLarge = Problem{Reason: fmt.Sprintf("is larger than %d MiB; the rest is left out", MaxBytes>>20)}

func (f Flags) or(g Flags) Flags {
	return Flags{
		Seen: f.Seen || g.Seen, Answered: f.Answered || g.Answered, Flagged: f.Flagged || g.Flagged,
		Draft: f.Draft || g.Draft, Deleted: f.Deleted || g.Deleted, Forwarded: f.Forwarded || g.Forwarded,
	}
}

// inMbox fills in what a mbox file says of a mail in its header.
func (it *Item) inMbox() {
	h, _ := readHeader(it.Raw, 0, func([]byte) bool { return false })
	it.Flags = it.Flags.or(statusFlags(&h))
	it.Gmail = len(h.fields) > 0 && h.fields[0].name == gmailThread
}
