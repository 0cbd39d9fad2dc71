package adk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/adk/v2/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// List returns the sessions of an app with their states and without events, those of one user or,
// without a user id, those of all, with the newest activity first.
func (s *Service) List(ctx context.Context, req *session.ListRequest) (*session.ListResponse, error) {
	if req == nil || req.AppName == "" {
		return nil, ErrIncomplete
	}
	sc := s.st.AllUsers()
	if req.UserID != "" {
		sc = s.st.ForUser(s.tenant(req.AppName, req.UserID))
	}
	l := &lister{sc: sc, app: req.AppName}
	if err := l.run(ctx); err != nil {
		return nil, fmt.Errorf("adk: list sessions: %w", err)
	}
	return &session.ListResponse{Sessions: l.sessions}, nil
}

type lister struct {
	sc       store.Scope
	app      string
	sessions []session.Session
}

func (l *lister) run(ctx context.Context) error {
	l.sessions = []session.Session{}
	request := store.PageRequest{Limit: store.MaxLimit}
	for {
		page, err := l.sc.Conversations().List(ctx, store.ConversationFilter{App: l.app}, request)
		if err != nil {
			return err
		}
		if err := l.take(ctx, page.Items); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		request.After = page.Next
	}
}

// take adds a page of conversations.
func (l *lister) take(ctx context.Context, page []*conversation.Conversation) error {
	prefix := ExternalKey(l.app, "")
	page = slices.DeleteFunc(page, func(c *conversation.Conversation) bool { return !strings.HasPrefix(c.ExternalKey, prefix) }) // no sessions
	states, err := l.sc.States().OfConversations(ctx, page)
	if err != nil {
		return err
	}
	for i, c := range page {
		h := newHandle(ident{l.app, userOf(c), strings.TrimPrefix(c.ExternalKey, prefix)}, c)
		if err := h.decode(states[i]); err != nil {
			return err
		}
		l.sessions = append(l.sessions, h)
	}
	return nil
}

func userOf(c *conversation.Conversation) string {
	var m map[string]json.RawMessage
	var user string
	if json.Unmarshal(c.Metadata, &m) == nil {
		_ = json.Unmarshal(m[userKey], &user)
	}
	return user
}
