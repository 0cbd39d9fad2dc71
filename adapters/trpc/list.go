package trpc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// ListSessions returns the sessions of a user with an app, the one that changed last first, with
// their states and summaries and, unless the options ask for these alone, their events and tracks
// as GetSession has them.
func (s *Service) ListSessions(ctx context.Context, key session.UserKey, opts ...session.Option) ([]*session.Session, error) {
	if err := key.CheckUserKey(); err != nil {
		return nil, err
	}
	o := optionsOf(opts)
	if err := session.ValidateListSessionsOptions(o); err != nil {
		return nil, err
	}
	l := &lister{service: s, sc: s.scope(key.AppName, key.UserID), key: key}
	if err := l.run(ctx, o); err != nil {
		return nil, fmt.Errorf("trpc: list sessions: %w", err)
	}
	return l.sessions, nil
}

type lister struct {
	service  *Service
	sc       store.Scope
	key      session.UserKey
	sessions []*session.Session
}

func (l *lister) run(ctx context.Context, o *session.Options) error {
	l.sessions = []*session.Session{}
	rows, err := l.rows(ctx)
	if err != nil {
		return err
	}
	if p := o.ListSessionPage; p != nil {
		from := min(p.Offset, len(rows))
		rows = rows[from : from+min(p.Limit, len(rows)-from)]
	}
	if len(rows) == 0 {
		return nil
	}
	for part := range slices.Chunk(rows, store.MaxLimit) {
		if err := l.take(ctx, part, o); err != nil {
			return err
		}
	}
	return nil
}

// rows returns the conversations that are sessions, in the order of the list.
func (l *lister) rows(ctx context.Context) ([]*conversation.Conversation, error) {
	var rows []*conversation.Conversation
	for c, err := range l.sc.Conversations().All(ctx, store.ConversationFilter{App: l.key.AppName}) {
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(c.ExternalKey, ExternalKey(l.key.AppName, "")) {
			rows = append(rows, c)
		}
	}
	slices.SortFunc(rows, func(a, b *conversation.Conversation) int {
		if c := b.UpdatedAt.Compare(a.UpdatedAt); c != 0 {
			return c
		}
		return strings.Compare(b.ExternalKey, a.ExternalKey)
	})
	return rows, nil
}

// take adds conversations. The states of all of them take one query.
func (l *lister) take(ctx context.Context, rows []*conversation.Conversation, o *session.Options) error {
	states, err := l.sc.States().OfConversations(ctx, rows)
	if err != nil {
		return err
	}
	for i, c := range rows {
		id := strings.TrimPrefix(c.ExternalKey, ExternalKey(l.key.AppName, ""))
		sess, err := newHandle(session.Key{AppName: l.key.AppName, UserID: l.key.UserID, SessionID: id}, c, states[i])
		if err != nil {
			return err
		}
		if !o.ListSessionOnlyMeta {
			if err := l.service.fill(ctx, l.sc, c.ID, sess, o); err != nil {
				return err
			}
		}
		l.sessions = append(l.sessions, sess)
	}
	return nil
}
