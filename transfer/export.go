package transfer

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// ExportOptions are the options of Export. The zero value exports all conversations of the user.
type ExportOptions struct {
	// Filter selects conversations. Its order does not count, and deleted ones are never exported.
	Filter store.ConversationFilter
	// Progress, if set, is called after each conversation with the counts so far.
	Progress func(ExportResult)
}

// ExportResult counts what an export wrote.
type ExportResult struct {
	Conversations, Messages int64
}

// Export writes the live conversations of a user, the latest created first, with all branches
// and their live messages. A conversation that was imported from the
// same format is written as it came, with what happened to it since; others as far as the format
// has a place for what they hold.
//
// It does not close out. After an error, out has the beginning of a file.
func Export(ctx context.Context, st store.Store, user uuid.UUID, f Format, out io.Writer, o ExportOptions) (ExportResult, error) {
	switch {
	case st == nil:
		return ExportResult{}, rule.Invalid("store", "is nil")
	case out == nil:
		return ExportResult{}, rule.Invalid("writer", "is nil")
	case o.Filter.Deleted != store.ExcludeDeleted:
		return ExportResult{}, rule.Invalid("deleted", "is not exported")
	}
	if err := f.check(); err != nil {
		return ExportResult{}, err
	}
	o.Filter.Order = store.NewestCreated // nothing moves while it is read
	x := &exporter{sc: st.ForUser(user), format: f, out: out, options: o}
	err := x.run(ctx)
	return x.result, err
}

type exporter struct {
	sc      store.Scope
	format  Format
	out     io.Writer
	options ExportOptions
	result  ExportResult
}

func (x *exporter) run(ctx context.Context) error {
	open, between, end := "[", ",\n", "]\n"
	if x.format == JSONL {
		open, between, end = "", "\n", ""
	}
	if err := x.print(open); err != nil {
		return err
	}
	for c, err := range x.sc.Conversations().All(ctx, x.options.Filter) {
		if err != nil {
			return err
		}
		doc, n, err := x.encode(ctx, c)
		if err != nil {
			return fmt.Errorf("convostore: export conversation %s: %w", c.ID, err)
		}
		if x.result.Conversations > 0 {
			if err := x.print(between); err != nil {
				return err
			}
		}
		if err := x.print(string(doc)); err != nil {
			return err
		}
		x.result.Conversations++
		x.result.Messages += n
		if x.options.Progress != nil {
			x.options.Progress(x.result)
		}
	}
	if x.format == JSONL && x.result.Conversations > 0 {
		end = "\n"
	}
	return x.print(end)
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

// encode reads a conversation and writes it in the format. The second result is the number of its
// messages.
func (x *exporter) encode(ctx context.Context, c *conversation.Conversation) ([]byte, int64, error) {
	s := &stored{conversation: c, format: x.format}
	var live int64
	for m, err := range x.sc.Messages().All(ctx, c.ID, store.MessageFilter{Deleted: store.IncludeDeleted, Branches: store.AllBranches}) {
		if err != nil {
			return nil, 0, err
		}
		s.messages = append(s.messages, m)
		if !m.Deleted() {
			live++
		}
	}
	if err := x.readKept(ctx, s); err != nil {
		return nil, 0, err
	}
	doc, err := codecs[x.format].write(s)
	return doc, live, err
}
