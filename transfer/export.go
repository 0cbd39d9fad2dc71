package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ExportOptions are the options of Export and ExportAll. The zero value exports everything but
// vectors.
type ExportOptions struct {
	// Filter selects conversations. Its order does not count, and deleted ones are never exported.
	Filter store.ConversationFilter
	// Vectors adds the vectors of messages to JSONL. They can be made again, and take many times
	// the space of the texts.
	Vectors bool
	// Progress, if set, is called after each conversation with the counts so far.
	Progress func(ExportResult)
}

// ExportResult counts what an export wrote.
type ExportResult struct {
	Conversations, Messages int64
	// States is the number of states of users and of apps.
	States int64
}

// Export writes the live conversations of a user, the latest created first, with all branches
// and their live messages. One that is deleted while the export runs is left out. A conversation that was imported from the
// same format is written as it came, with what happened to it since; others as far as the format
// has a place for what they hold.
//
// JSONL is everything of the user: also suggestions, labels, read marks, votes, summaries, states,
// refs and deliveries. The states of the user over all conversations follow these, unless a Filter
// selects some of them.
//
// It does not close out. After an error, out has the beginning of a file.
func Export(ctx context.Context, st store.Store, user uuid.UUID, f Format, out io.Writer, o ExportOptions) (ExportResult, error) {
	if err := checkExport(st, out, o); err != nil {
		return ExportResult{}, err
	}
	if err := f.check(); err != nil {
		return ExportResult{}, err
	}
	x := &exporter{st: st, sc: st.ForUser(user), user: user, format: f, out: out, options: o}
	err := x.run(ctx)
	return x.result, err
}

// ExportAll writes the conversations of all users as JSONL, with the user of each, and the states
// of all users and apps. Everything else is as for Export.
func ExportAll(ctx context.Context, st store.Store, out io.Writer, o ExportOptions) (ExportResult, error) {
	if err := checkExport(st, out, o); err != nil {
		return ExportResult{}, err
	}
	x := &exporter{st: st, sc: st.AllUsers(), format: JSONL, out: out, options: o}
	err := x.run(ctx)
	return x.result, err
}

func checkExport(st store.Store, out io.Writer, o ExportOptions) error {
	switch {
	case st == nil:
		return rule.Invalid("store", "is nil")
	case out == nil:
		return rule.Invalid("writer", "is nil")
	case o.Filter.Deleted != store.ExcludeDeleted:
		return rule.Invalid("deleted", "is not exported")
	}
	return nil
}

type exporter struct {
	st store.Store
	sc store.Scope
	// user is uuid.Nil for all users.
	user    uuid.UUID
	format  Format
	out     io.Writer
	options ExportOptions
	result  ExportResult
}

func (x *exporter) run(ctx context.Context) error {
	if x.format == JSONL {
		return x.runLines(ctx)
	}
	if err := x.print("["); err != nil {
		return err
	}
	err := x.each(ctx, func(doc []byte) error {
		if x.result.Conversations > 0 {
			if err := x.print(",\n"); err != nil {
				return err
			}
		}
		return x.print(string(doc))
	})
	if err != nil {
		return err
	}
	return x.print("]\n")
}

func (x *exporter) runLines(ctx context.Context) error {
	err := x.each(ctx, func(doc []byte) error { return x.print(string(doc) + "\n") })
	if err != nil || !reflect.DeepEqual(x.options.Filter, store.ConversationFilter{}) {
		return err
	}
	return x.printStates(ctx)
}

// each calls write with every conversation.
func (x *exporter) each(ctx context.Context, write func(doc []byte) error) error {
	f := x.options.Filter
	f.Order = store.NewestCreated // nothing moves while it is read
	for c, err := range x.sc.Conversations().All(ctx, f) {
		if err != nil {
			return err
		}
		doc, n, err := x.encode(ctx, c)
		if err != nil {
			return fmt.Errorf("convostore: export conversation %s: %w", c.ID, err)
		}
		if doc == nil {
			continue
		}
		if err := write(doc); err != nil {
			return err
		}
		x.result.Conversations++
		x.result.Messages += n
		if x.options.Progress != nil {
			x.options.Progress(x.result)
		}
	}
	return nil
}

func (x *exporter) print(s string) error {
	if s == "" {
		return nil
	}
	if _, err := io.WriteString(x.out, s); err != nil {
		return fmt.Errorf("convostore: write export: %w", err)
	}
	return nil
}

// maxReads is how often a conversation is read that changes while it is read.
const maxReads = 3

// encode reads a conversation and writes it in the format. The second result is the number of its
// messages. The document is nil if the conversation is not there any more. What is read are several
// statements, and the list of conversations is older than all of them: so the row is read before
// them and after them, and all once more if it has changed.
func (x *exporter) encode(ctx context.Context, listed *conversation.Conversation) ([]byte, int64, error) {
	sc := x.st.ForUser(listed.UserID)
	for try := 1; ; try++ {
		c, err := sc.Conversations().Get(ctx, listed.ID)
		if errors.Is(err, store.ErrNotFound) {
			return nil, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		before := *c
		s := &stored{conversation: c, format: x.format}
		err = x.readWhole(ctx, sc, s)
		if errors.Is(err, store.ErrNotFound) && try < maxReads {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return nil, 0, err
		}
		after, err := sc.Conversations().Get(ctx, listed.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, 0, err
		}
		if try < maxReads && (err != nil || changed(&before, after)) {
			continue
		}
		doc, err := codecs[x.format].write(s)
		return doc, s.live(), err
	}
}

// changed tells whether a conversation or its messages changed between two reads of its row.
func changed(a, b *conversation.Conversation) bool {
	head := func(c *conversation.Conversation) int64 {
		if c.HeadSeq == nil {
			return -1
		}
		return *c.HeadSeq
	}
	return a.LastSeq != b.LastSeq || a.LastChangeSeq != b.LastChangeSeq || head(a) != head(b) || a.Branched != b.Branched || !a.UpdatedAt.Equal(b.UpdatedAt)
}

// readWhole reads the messages and what is beside them.
func (x *exporter) readWhole(ctx context.Context, sc store.Scope, s *stored) error {
	for m, err := range sc.Messages().All(ctx, s.conversation.ID, store.MessageFilter{Deleted: store.IncludeDeleted, Branches: store.AllBranches}) {
		if err != nil {
			return err
		}
		s.messages = append(s.messages, m)
	}
	return x.readBeside(ctx, sc, s)
}

// readBeside reads what the conversation has beside its messages, as far as the format has a place
// for it.
func (x *exporter) readBeside(ctx context.Context, sc store.Scope, s *stored) error {
	if x.format == JSONL {
		return (&rowReader{s, x.st.DB(ctx), sc}).read(ctx, x.options.Vectors)
	}
	return x.readHeader(ctx, s)
}
