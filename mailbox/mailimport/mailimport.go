// Package mailimport reads mbox files, Maildir folders and trees of single mails, and
// sorts the mails into conversations of a store.
package mailimport

import (
	"context"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Options of an import.
type Options struct {
	// UserID is whose mail it is.
	UserID uuid.UUID
	// Mine are the user's own addresses: mail from them is outbound, all other inbound.
	Mine []string
	// Paths are mbox files, mails and folders with either. The files of the store's own SQLite
	// database are left out, wherever they are.
	Paths []string
	// All also takes drafts, spam and what is in the trash, by the folder or by Gmail's labels.
	All bool
	// BySubject also takes an answer that names no mail to the latest thread of its subject with
	// its correspondent.
	BySubject bool
	// Progress, if set, is called at the beginning of a stage, which has a name, and
	// after each mail. Nobody knows the total of the first stage until it ends, so it is
	// -1 there. A stage ends when done is total.
	Progress func(stage string, done, total int)
}

// Report says what became of the mails.
type Report struct {
	// Found counts the mails whose header can be read, Stored those that were not there.
	Found, Stored int
	// Known counts the mails that were there already: the same Message-ID, sender and date.
	Known int
	// LeftOut counts drafts, spam and trash, which are stored only if all is asked for.
	LeftOut int
	// Problems are in the order in which they were met.
	Problems []Problem
}

// Skipped counts the mails that are not in the store, and the files that are none.
func (r Report) Skipped() int {
	skipped := 0
	for _, p := range r.Problems {
		if p.Skipped {
			skipped++
		}
	}
	return skipped
}

// UserID makes an id of a name, the same one each time.
func UserID(name string) uuid.UUID {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte("convostore/importmail/"+name))
}

// Import stores the mails under the paths, each one once, also if it is called again. A
// path that is not there is an error; a broken mail is a problem in the report. After an
// error the report counts what is stored, and another call stores the rest.
func Import(ctx context.Context, st store.Store, o Options) (r Report, err error) {
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	own, err := databaseFilesOf(st.DB(ctx))
	if err != nil {
		return Report{}, err
	}
	found, err := find(ctx, o, own)
	if err != nil {
		return Report{}, err
	}
	im := &importer{
		st: st, Options: o, problems: found.problems, files: unpacked{},
		report: Report{Found: len(found.mails), LeftOut: found.leftOut},
	}
	defer func() { err = errors.Join(err, im.files.remove()) }()
	slices.SortStableFunc(found.mails, func(a, b entry) int { return a.date.Compare(b.date) })
	err = im.importAll(ctx, found.mails)
	im.report.Problems = im.problems
	return im.report, err
}
