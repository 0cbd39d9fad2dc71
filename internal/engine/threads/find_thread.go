package threads

import (
	"context"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

func (s messages) FindThread(ctx context.Context, m *message.Message) (*conversation.Conversation, error) {
	if m == nil {
		return nil, scope.ErrNil("message")
	}
	asked := *m
	m = &asked
	s.sc.Clean.Model(m)
	if m.EmailMessageID == "" {
		m.EmailMessageID = message.NormalizeRef(message.RefEmail, m.Headers.Get("Message-ID"))
	}
	// The caller starts a new conversation if there is none, so a replica that lags would
	// cause a second one.
	db, err := s.sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, err
	}
	c, err := findThread(lookup{sc: s.sc, db: db, letter: newLetter(m, store.FileOptions{}).storable()})
	return c, query.Wrap("find thread", err)
}

// storable leaves out names that are too long to be stored, and so lead nowhere.
func (l *letter) storable() *letter {
	l.ids = keepNames(l.ids)
	var threads []message.Ref
	for _, r := range l.threads {
		if isName(r.Ref) {
			threads = append(threads, r)
		}
	}
	l.threads = threads
	return l
}

func keepNames(names []string) (kept []string) {
	for _, n := range names {
		if isName(n) {
			kept = append(kept, n)
		}
	}
	return kept
}

func findThread(l lookup) (*conversation.Conversation, error) {
	hits, err := l.find()
	if err != nil {
		return nil, err
	}
	candidates, err := l.candidates(hits, false)
	if err != nil {
		return nil, err
	}
	c := newChooser(l, hits, candidates, "", "")
	if err := c.choose(); err != nil {
		return nil, err
	}
	if len(c.chosen) == 0 {
		return nil, store.ErrNotFound
	}
	return GetConversation(l.sc.As(c.chosen[0].User), l.db, c.chosen[0].ID)
}
