package madeup

import (
	"context"
	"time"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// thread is a made-up conversation and what a model drafted for it.
type thread struct {
	conversation.Conversation
	drafts []draft
	// address is the lead's.
	address           string
	archived, deleted bool
}

// draft answers the message of the conversation at place to.
type draft struct {
	suggestion.Suggestion
	to int
}

func (t *thread) write(ctx context.Context, tx store.Store) error {
	mine := tx.ForUser(t.UserID)
	if err := mine.Conversations().Create(ctx, &t.Conversation); err != nil {
		return err
	}
	for i := range t.drafts {
		d := &t.drafts[i]
		d.ConversationID, d.InReplyToMessageID = t.ID, &t.Messages[d.to].ID
		if err := mine.Suggestions().Create(ctx, &d.Suggestion); err != nil {
			return err
		}
	}
	var err error
	switch {
	case t.deleted:
		_, err = mine.Conversations().Delete(ctx, t.ID)
	case t.archived:
		_, err = mine.Conversations().Archive(ctx, t.ID)
	}
	return err
}

func (t *thread) say(at time.Time, d message.Direction, text string) {
	m := &message.Message{
		Direction: d, Content: text, SenderEmail: t.address, RecipientEmail: ours, SentAt: at, CreatedAt: at,
		Headers: message.Headers{"Subject": {t.Subject}},
	}
	if d == message.DirectionOutbound {
		m.SenderEmail, m.RecipientEmail = ours, t.address
	}
	t.Messages = append(t.Messages, m)
}

func (t *thread) last() *message.Message { return t.Messages[len(t.Messages)-1] }
