package engine_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// post is the mail of one user.
type post struct {
	*testing.T
	mine store.Scope
}

// mail is one from an address, with headers in pairs.
func (p post) mail(from, id string, headers ...string) *message.Message {
	m := &message.Message{
		Direction: message.DirectionInbound, Content: id, SenderEmail: from, SentAt: time.Date(2026, 11, 20, 8, 0, 0, 0, time.UTC),
		Headers: message.Headers{"From": {from}, "To": {"me@acme.example"}, "Message-ID": {"<" + id + ">"}},
	}
	for i := 0; i < len(headers); i += 2 {
		m.Headers[headers[i]] = []string{headers[i+1]}
	}
	return m
}

func (p post) file(m *message.Message) store.Filed {
	p.Helper()
	f, err := p.mine.Messages().File(p.Context(), m, store.FileOptions{BySubject: true})
	require.NoError(p, err)
	return f
}

// conversations requires that the user has so many.
func (p post) conversations(want int) {
	p.Helper()
	page, err := p.mine.Conversations().List(p.Context(), store.ConversationFilter{}, store.PageRequest{})
	require.NoError(p, err)
	require.Len(p, page.Items, want)
}

func (p post) status(id uuid.UUID) conversation.Status {
	p.Helper()
	c, err := p.mine.Conversations().Get(p.Context(), id)
	require.NoError(p, err)
	return c.Status
}

// mailTable are what mail does to an inbox, by the words of those who complain about inboxes.
func mailTable() map[string]func(p post) {
	return map[string]func(p post){
		"three leads answer Quick question": func(p post) {
			for _, lead := range []string{"a@a.example", "b@b.example", "c@c.example"} {
				p.file(p.mail(lead, "1."+lead, "Subject", "Re: Quick question", "In-Reply-To", "<to."+lead+">"))
			}
			p.conversations(3)
		},
		"two tickets": func(p post) {
			p.file(p.mail("a@a.example", "7@a", "Subject", "Re: [Ticket #7] Printer"))
			p.file(p.mail("a@a.example", "8@a", "Subject", "Re: [Ticket #8] Printer"))
			p.conversations(2)
		},
		"two replies to one absent parent": func(p post) {
			p.file(p.mail("a@a.example", "1@a", "References", "<gone@a>"))
			p.file(p.mail("a@a.example", "2@a", "References", "<gone@a>"))
			p.conversations(1)
		},
		"a folder before the other": func(p post) {
			p.file(p.mail("a@a.example", "2@a", "In-Reply-To", "<1@acme>"))
			p.file(p.mail("a@a.example", "4@a", "In-Reply-To", "<3@acme>"))
			for _, m := range []*message.Message{p.mail("me@acme.example", "1@acme"), p.mail("me@acme.example", "3@acme", "In-Reply-To", "<2@a>")} {
				m.Direction = message.DirectionOutbound
				m.Headers["To"] = []string{"a@a.example"}
				p.file(m)
			}
			p.conversations(1)
		},
		"a deleted thread is imported again": func(p post) {
			f := p.file(p.mail("a@a.example", "1@a", "Subject", "Hello"))
			p.file(p.mail("a@a.example", "2@a", "Subject", "Other", "In-Reply-To", "<1@a>"))
			_, err := p.mine.Conversations().Delete(p.Context(), f.Conversation.ID)
			require.NoError(p, err)
			require.False(p, p.file(p.mail("a@a.example", "1@a", "Subject", "Hello")).Created)
			require.False(p, p.file(p.mail("a@a.example", "2@a", "Subject", "Other", "In-Reply-To", "<1@a>")).Created)
			require.True(p, p.file(p.mail("stranger@x.example", "3@x", "Subject", "Hello")).Created)
			p.conversations(1)
		},
		"an old mail after the answer to it": func(p post) {
			answer := p.mail("me@acme.example", "2@acme", "In-Reply-To", "<1@a>")
			answer.Direction, answer.Headers["To"] = message.DirectionOutbound, []string{"a@a.example"}
			f := p.file(answer)
			old := p.mail("a@a.example", "1@a")
			old.SentAt = answer.SentAt.Add(-time.Hour)
			p.file(old)
			p.conversations(1)
			require.Equal(p, conversation.StatusWaiting, p.status(f.Conversation.ID))
		},
		"an automatic answer in an archived thread": func(p post) {
			f := p.file(p.mail("a@a.example", "1@a"))
			_, err := p.mine.Conversations().Archive(p.Context(), f.Conversation.ID)
			require.NoError(p, err)
			m := p.mail("a@a.example", "2@a", "In-Reply-To", "<1@a>", "Auto-Submitted", "auto-replied")
			require.Equal(p, message.KindAutoReply, p.file(m).Message.Kind)
			require.Equal(p, conversation.StatusArchived, p.status(f.Conversation.ID))
		},
		"an id without brackets": func(p post) {
			p.file(p.mail("a@a.example", "1@x"))
			p.file(p.mail("a@a.example", "2@x", "In-Reply-To", "1@x"))
			p.conversations(1)
		},
		"an id that the provider gave later, and a second mailbox": func(p post) {
			sent := p.mail("me@acme.example", "ours@acme")
			sent.Direction, sent.Headers["To"] = message.DirectionOutbound, []string{"a@a.example"}
			f := p.file(sent)
			require.NoError(p, p.mine.Messages().AddRefs(p.Context(), f.Message.ID, message.Ref{Provider: message.RefEmail, Ref: "<theirs@ses>"}))
			answer := p.file(p.mail("a@a.example", "2@a", "In-Reply-To", "<theirs@ses>"))
			require.Equal(p, f.Conversation.ID, answer.Conversation.ID)
			copied := p.mail("a@a.example", "2@a", "In-Reply-To", "<theirs@ses>")
			copied.GmailMessageID = "19937a4d1e5f0a21"
			require.False(p, p.file(copied).Created)
			refs, err := p.mine.Messages().Refs(p.Context(), answer.Message.ID)
			require.NoError(p, err)
			require.Len(p, refs, 2)
		},
		"eight deliveries at once": func(p post) {
			var all errgroup.Group
			for range 8 {
				all.Go(func() error {
					_, err := p.mine.Messages().File(p.Context(), p.mail("a@a.example", "1@a"), store.FileOptions{})
					return err
				})
			}
			require.NoError(p, all.Wait())
			p.conversations(1)
		},
		"a line break in a header": func(p post) {
			_, err := p.mine.Messages().File(p.Context(), p.mail("a@a.example", "1@a", "Subject", "a\r\nBcc: b@b.example"), store.FileOptions{})
			require.ErrorIs(p, err, store.ErrInvalid)
			p.conversations(0)
		},
	}
}

// TestMailTable: each row for a user of its own. Notes, sends, drafts and what a mail says are rows of
// the contract and of module mailbox.
func TestMailTable(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		for name, row := range mailTable() {
			t.Run(name, func(t *testing.T) { row(post{t, st.ForUser(uuid.New())}) })
		}
	})
}
