// Package mailexport writes the conversations of a user to a mbox file, which mail programs read and
// package mailimport takes back.
//
// A mail has what a store keeps of it: the text, the fields of the header, the addresses, the date
// and the ids by which a thread holds together. The bytes of attachments are the host's, so that a
// mail only names them. Drafts, notes, votes, states, labels and vectors have no place in a mail:
// package transfer's JSONL has everything. Who has no address gets user@convostore.invalid or
// assistant@convostore.invalid.
package mailexport

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Options of an export.
type Options struct {
	// Filter chooses the conversations. It must leave deleted ones out, as it does if it is not set.
	Filter store.ConversationFilter
	// Progress, if set, is called after each conversation.
	Progress func(Result)
}

// Result says what was written.
type Result struct {
	// Conversations and Messages count what is in the file. A conversation of which no message is
	// a mail counts too.
	Conversations, Messages int64
	// LeftOut counts the live messages that are no mails: notes and events, what a model's tools
	// and instructions say, replies that are still being made or were not sent.
	LeftOut int64
	// Attachments counts the files that the mails name and do not have.
	Attachments int64
}

// Write writes the live conversations of a user to w, those made last first, each with all of its
// branches in the order of their messages. Lines that look as if a mail began are quoted
// with ">", as the dialect mboxrd does. A conversation that is deleted meanwhile is left out, or
// what was not read of it. After an error the result says what is whole in w. It does not close w.
func Write(ctx context.Context, st store.Store, user uuid.UUID, w io.Writer, o Options) (Result, error) {
	switch {
	case st == nil:
		return Result{}, rule.Invalid("store", "is nil")
	case w == nil:
		return Result{}, rule.Invalid("writer", "is nil")
	case user == uuid.Nil:
		return Result{}, rule.Invalid("user_id", "is not set")
	case o.Filter.Deleted != store.ExcludeDeleted:
		return Result{}, rule.Invalid("deleted", "is not exported")
	}
	x := &exporter{mine: st.ForUser(user), to: w, options: o}
	err := x.all(ctx)
	return x.result, err
}

type exporter struct {
	mine    store.Scope
	to      io.Writer
	options Options
	result  Result
}

func (x *exporter) all(ctx context.Context) error {
	f := x.options.Filter
	f.Order = store.NewestCreated // nothing moves while it is read
	for c, err := range x.mine.Conversations().All(ctx, f) {
		if err != nil {
			return err
		}
		switch err := x.conversation(ctx, c); {
		case errors.Is(err, store.ErrNotFound): // deleted since
			continue
		case err != nil:
			return fmt.Errorf("convostore: export conversation %s: %w", c.ID, err)
		}
		x.result.Conversations++
		if x.options.Progress != nil {
			x.options.Progress(x.result)
		}
	}
	return nil
}

func (x *exporter) conversation(ctx context.Context, c *conversation.Conversation) error {
	t := newThread(c)
	for m, err := range x.mine.Messages().All(ctx, c.ID, store.MessageFilter{Branches: store.AllBranches}) {
		if err != nil {
			return err
		}
		if !isMail(m) {
			t.skip(m)
			x.result.LeftOut++
			continue
		}
		raw, sender, err := t.mail(m)
		if err == nil {
			err = writeMbox(x.to, sender, m.SentAt, raw)
		}
		if err != nil {
			return err
		}
		x.result.Messages++
		x.result.Attachments += int64(len(m.Attachments))
	}
	return nil
}

// isMail tells whether somebody sent the message to somebody.
func isMail(m *message.Message) bool {
	switch {
	case m.Direction == message.DirectionNone, m.Kind == message.KindNote, m.Kind == message.KindEvent, m.State == message.StateStreaming:
		return false
	case m.Delivery == message.DeliveryQueued, m.Delivery == message.DeliveryFailed, m.Delivery == message.DeliveryCancelled:
		return false
	}
	return true
}
