package transfer

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ImportOptions are the options of Import. The zero value works.
type ImportOptions struct {
	// Format is that of the file. Without one, Import tells it by the first conversations.
	Format Format
	// App is the App of the conversations that the import creates.
	App string
	// Progress, if set, is called after each batch with the counts so far.
	Progress func(ImportResult)
	// OnRead, if set, is called by ImportFile as it reads, with the bytes of texts that it has read and
	// those of all files that it reads, as they are when they are unpacked. A ZIP says the sizes
	// itself: one that is wrong makes the total wrong, and nothing else.
	OnRead func(read, total int64)
	// OnProblem, if set, is called for each conversation and message that is not stored, in the
	// order of the file. An error that it returns ends the import.
	OnProblem func(Problem) error
}

// ImportResult counts what an import did.
type ImportResult struct {
	// Conversations and Messages were stored.
	Conversations, Messages int64
	// Known is the number of messages that were there already.
	Known int64
	// Rows is the number of rows beside conversations and messages that were stored: suggestions,
	// labels, read marks, votes, states and so on. Only JSONL has them.
	Rows int64
	// Deleted is the number of conversations that the user has deleted since an earlier import.
	// They stay deleted.
	Deleted int64
	// Problems is the number of conversations, messages and other rows that are not stored.
	Problems int64
}

// Problem is a conversation, a message or another row of a file that is not stored.
type Problem struct {
	// Index is the place of the conversation in the file, from 0.
	Index int
	// Line is the line of the file, from 1, in JSONL; 0 in other formats.
	Line int
	// Conversation is its external key, Node the id of the message in the file; both are empty
	// where it is not known, and Node where it is the conversation that is not stored.
	Conversation, Node string
	// Err says why. In JSONL it is a *rule.InvalidError whose Field leads to the value, such as
	// "conversation.messages[2].votes[0].value", if the row breaks a rule.
	Err error
}

func (p Problem) String() string {
	where := fmt.Sprintf("conversation %d", p.Index)
	if p.Line > 0 {
		where = fmt.Sprintf("line %d, ", p.Line) + where
	}
	if p.Conversation != "" {
		where += " (" + p.Conversation + ")"
	}
	if p.Node != "" {
		where += ", message " + p.Node
	}
	return where + ": " + p.Err.Error()
}

var errUnknown = errors.New("the format is not known")

// Import stores the conversations of r as those of a user. What is stored already, by the ids of
// the file, is not stored again, and what is new in a conversation is appended to it; edits and
// deletions that were made in the store since stay. A conversation is stored whole or not at all,
// but for messages that break a rule, which are left out: those below one then follow the one
// above it.
//
// It reads r to the end and does not close it. A conversation or a message that cannot be stored
// is a Problem and no error. An error of r, of the database, of ctx and of a file that breaks off
// ends the import; what was read before is stored, and the result counts it. A file that has
// something in it, and nothing of a known format or of the one in the options, is ErrInvalid.
func Import(ctx context.Context, st store.Store, user uuid.UUID, r io.Reader, o ImportOptions) (ImportResult, error) {
	im, err := newImporter(st, user, o)
	if err != nil {
		return ImportResult{}, err
	}
	if r == nil {
		return ImportResult{}, rule.Invalid("reader", "is nil")
	}
	err = im.run(ctx, r)
	return im.result, im.checked(err)
}

// ImportAll stores the conversations of a file that ExportAll wrote, each as that of the user
// whose it was, with the states of users and of apps. Everything else is as for Import. Options
// with another format than JSONL are ErrInvalid.
func ImportAll(ctx context.Context, st store.Store, r io.Reader, o ImportOptions) (ImportResult, error) {
	if o.Format != "" && o.Format != JSONL {
		return ImportResult{}, rule.Invalid("format", "is not %s, the only one with the users in it", JSONL)
	}
	o.Format = JSONL
	im, err := newImporter(st, uuid.Max, o)
	if err != nil {
		return ImportResult{}, err
	}
	if r == nil {
		return ImportResult{}, rule.Invalid("reader", "is nil")
	}
	im.user, im.all = uuid.Nil, true
	err = im.run(ctx, r)
	return im.result, im.checked(err)
}

// A batch is written in one transaction.
const (
	batchThreads  = 50
	batchMessages = 1000
)

func newImporter(st store.Store, user uuid.UUID, o ImportOptions) (*importer, error) {
	switch {
	case st == nil:
		return nil, rule.Invalid("store", "is nil")
	case user == uuid.Nil:
		return nil, rule.Invalid("user", "is the nil UUID")
	}
	if o.Format != "" {
		if err := o.Format.check(); err != nil {
			return nil, err
		}
	}
	return &importer{st: st, user: user, options: o, format: o.Format, dimensions: map[int]bool{}}, nil
}

type importer struct {
	st      store.Store
	user    uuid.UUID
	all     bool // users are those of the file
	options ImportOptions
	format  Format
	known   bool // an element was of the format
	result  ImportResult
	index   int

	batch    []*parsed
	messages int // in the batch

	// dimensions tells which lengths of vectors the store takes, as far as is known.
	dimensions map[int]bool
}

// parsed is a conversation that waits to be written, or a state.
type parsed struct {
	*thread
	index, line int
	nodes       []*node // those with a message, parents first
}

// problem is what is wrong with a part of a conversation, or with all of it.
func (p *parsed) problem(node string, err error) Problem {
	return Problem{Index: p.index, Line: p.line, Conversation: p.conversation.ExternalKey, Node: node, Err: err}
}

// checked is the error of what was read, all of it or up to err: ErrInvalid if it is something, and
// nothing of it is of the format.
func (im *importer) checked(err error) error {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case im.known:
	case syntax:
		return fmt.Errorf("%w (%w)", im.noFormat(), err)
	case err == nil && im.index > 0:
		return im.noFormat()
	}
	return err
}

func (im *importer) noFormat() error {
	if im.options.Format != "" {
		return rule.Invalid("file", "has nothing of the format %s", im.options.Format)
	}
	return rule.Invalid("file", "has nothing of a known format: %v", Formats())
}

func (im *importer) run(ctx context.Context, r io.Reader) error {
	for e, err := range elements(r) {
		if err != nil {
			return errors.Join(im.flush(ctx), fmt.Errorf("convostore: read export: %w", err))
		}
		if err := im.take(ctx, e); err != nil {
			return err
		}
		im.index++
	}
	return im.flush(ctx)
}

// take parses an element into the batch.
func (im *importer) take(ctx context.Context, e element) error {
	t, err := im.parse(e)
	if err != nil {
		if err := im.flush(ctx); err != nil { // so that problems come in order
			return err
		}
		return im.problem(Problem{Index: im.index, Line: e.line, Err: err})
	}
	t.conversation.App = im.appOf(t)
	p := &parsed{thread: t, index: im.index, line: e.line, nodes: t.arrange()}
	im.batch = append(im.batch, p)
	im.messages += len(p.nodes)
	if len(im.batch) >= batchThreads || im.messages >= batchMessages {
		return im.flush(ctx)
	}
	return nil
}

func (im *importer) appOf(t *thread) string {
	if t.conversation.App != "" {
		return t.conversation.App
	}
	return im.options.App
}

func (im *importer) parse(e element) (*thread, error) {
	if e.err != nil {
		return nil, e.err
	}
	found := im.format
	if !im.known {
		found = Detect(e.doc)
		im.format = cmp.Or(im.format, found)
	}
	if im.format == "" {
		return nil, errUnknown
	}
	t, err := codecs[im.format].read(e.doc)
	im.known = im.known || err == nil || found == im.format
	return t, err
}

func (im *importer) problem(p Problem) error {
	im.result.Problems++
	if im.options.OnProblem == nil {
		return nil
	}
	return im.options.OnProblem(p)
}

// flush writes the batch. If a conversation of it cannot be stored, the others are.
func (im *importer) flush(ctx context.Context) error {
	batch := im.batch
	im.batch, im.messages = nil, 0
	if len(batch) == 0 {
		return nil
	}
	var done []outcome
	err := im.st.Transaction(ctx, func(tx store.Store) error {
		done = done[:0]
		for _, p := range batch {
			var out outcome
			err := tx.Transaction(ctx, func(in store.Store) (err error) {
				out, err = im.write(ctx, in, p)
				return err
			})
			if err != nil {
				if !isRule(err) {
					return err
				}
				out = outcome{problems: []Problem{p.problem("", err)}}
			}
			done = append(done, out)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("convostore: import: %w", err)
	}
	return im.count(done)
}

// isRule reports whether an error is about the rows, not about the database.
func isRule(err error) bool {
	return errors.Is(err, store.ErrInvalid) || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrNotFound)
}

func (im *importer) count(done []outcome) error {
	for _, out := range done {
		im.result.Conversations += out.conversations
		im.result.Messages += out.messages
		im.result.Known += out.known
		im.result.Rows += out.rows
		im.result.Deleted += out.deleted
		for _, p := range out.problems {
			if err := im.problem(p); err != nil {
				return err
			}
		}
	}
	if im.options.Progress != nil {
		im.options.Progress(im.result)
	}
	return nil
}
