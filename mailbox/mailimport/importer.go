package mailimport

import (
	"context"
	"errors"
	"fmt"

	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/store"
)

// The stages of an import.
const reading, importing = "reading", "importing"

const (
	// A transaction a batch: one a mail would wait for the disk as often.
	batchMails = 200
	batchBytes = 16 << 20
)

type importer struct {
	Options
	st       store.Store
	problems problems
	files    unpacked
	report   Report
}

// job is a mail of a batch.
type job struct {
	where string
	mail  *mailbox.Mail
	err   error
	isNew bool
}

// importAll stores the mails in their order, a batch at a time, so that memory does not
// grow with their number.
func (im *importer) importAll(ctx context.Context, mails []entry) error {
	im.Progress(importing, 0, len(mails))
	var batch []*job
	size := 0
	for i := range mails {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		j, n := im.read(&mails[i])
		batch, size = append(batch, j), size+n
		if len(batch) == batchMails || size > batchBytes || i == len(mails)-1 {
			if err := im.store(ctx, batch); err != nil {
				return err
			}
			batch, size = nil, 0
		}
		im.Progress(importing, i+1, len(mails))
	}
	return nil
}

func (im *importer) read(e *entry) (*job, int) {
	j := &job{where: e.where()}
	it, err := im.files.open(e)
	if err != nil {
		j.err = err
		return j, 0
	}
	j.mail, j.err = parse(it, im.Mine)
	return j, len(it.Raw)
}

// store writes a batch. The transaction may run more than once, so it counts nothing.
func (im *importer) store(ctx context.Context, batch []*job) error {
	err := im.st.Transaction(ctx, func(tx store.Store) error {
		mine := tx.ForUser(im.UserID)
		for _, j := range batch {
			if j.mail == nil {
				continue
			}
			if err := im.storeOne(ctx, mine, j); err != nil {
				return fmt.Errorf("%s: %w", j.where, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, j := range batch {
		im.count(j)
	}
	return nil
}

// storeOne keeps for the report what is wrong with the mail, and returns what is wrong with
// the database.
func (im *importer) storeOne(ctx context.Context, mine store.Scope, j *job) error {
	filed, err := im.file(ctx, mine, j.mail)
	j.isNew, j.err = filed.Created, nil
	switch {
	case errors.Is(err, store.ErrInvalid):
		j.err = err
	case err != nil:
		return err
	case filed.Message == nil:
		j.err = errors.New("belongs to a conversation that was deleted")
	}
	return nil
}

func (im *importer) count(j *job) {
	switch {
	case j.err != nil:
		im.problems.add(j.where, j.err.Error(), true)
		return
	case j.isNew:
		im.report.Stored++
	default:
		im.report.Known++
		return
	}
	// A second run has no need to say the same again.
	for _, p := range j.mail.Problems {
		im.problems.add(j.where, p.String(), false)
	}
}
