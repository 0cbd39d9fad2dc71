package adk

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"
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
	l := &lister{service: s, sc: sc, app: req.AppName, users: map[uuid.UUID]map[string]any{}}
	if err := l.run(ctx); err != nil {
		return nil, fmt.Errorf("adk: list sessions: %w", err)
	}
	return &session.ListResponse{Sessions: l.sessions}, nil
}

type lister struct {
	service  *Service
	sc       store.Scope
	app      string
	appState map[string]any
	users    map[uuid.UUID]map[string]any // the states of each user
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

// take adds a page of conversations. The states of all of them take one query.
func (l *lister) take(ctx context.Context, page []*conversation.Conversation) error {
	handles := make(map[owned]*handle, len(page))
	ids := make([]uuid.UUID, 0, len(page))
	for _, c := range page {
		sessionID, ok := strings.CutPrefix(c.ExternalKey, ExternalKey(l.app, ""))
		if !ok {
			continue // a conversation of the app that is no session
		}
		h := newHandle(ident{l.app, userOf(c), sessionID}, c)
		handles[owned{c.ID, c.UserID}] = h
		ids = append(ids, c.ID)
		if err := l.share(ctx, h, c.UserID); err != nil {
			return err
		}
		l.sessions = append(l.sessions, h)
	}
	if len(ids) == 0 {
		return nil
	}
	var states []*conversation.State
	if err := l.service.st.DB(ctx).Where("conversation_id IN ?", ids).Find(&states).Error; err != nil {
		return err
	}
	for _, s := range states {
		if h := handles[owned{s.ConversationID, s.UserID}]; h != nil {
			if err := decode(h.state, "", s.Key, s.Value); err != nil {
				return err
			}
		}
	}
	return nil
}

// owned is the whole key of a conversation.
type owned struct{ id, user uuid.UUID }

func userOf(c *conversation.Conversation) string {
	var m map[string]json.RawMessage
	var user string
	if json.Unmarshal(c.Metadata, &m) == nil {
		_ = json.Unmarshal(m[userKey], &user)
	}
	return user
}

// share gives a handle the states that it shares with others, which are read once.
func (l *lister) share(ctx context.Context, h *handle, user uuid.UUID) error {
	sc := l.service.st.ForUser(user)
	if l.appState == nil {
		l.appState = map[string]any{}
		if err := readAll(ctx, sc, store.AppState(l.app), session.KeyPrefixApp, l.appState); err != nil {
			return err
		}
	}
	if l.users[user] == nil {
		l.users[user] = map[string]any{}
		if err := readAll(ctx, sc, store.UserState(l.app), session.KeyPrefixUser, l.users[user]); err != nil {
			return err
		}
	}
	h.set(l.appState)
	h.set(l.users[user])
	return nil
}

// readAll reads all states of a place.
func readAll(ctx context.Context, sc store.Scope, in store.StatePlace, prefix string, into map[string]any) error {
	f := store.StateFilter{Limit: store.MaxLimit}
	for {
		page, err := sc.States().List(ctx, in, f)
		if err != nil || len(page) == 0 {
			return err
		}
		bytes := 0
		for _, s := range page {
			if err := decode(into, prefix, s.Key, s.Value); err != nil {
				return err
			}
			bytes += len(s.Value)
		}
		if len(page) < f.Limit && bytes < store.MaxPageBytes/2 {
			return nil // a short page ends the list unless its values filled it
		}
		f.After = page[len(page)-1].Key
	}
}
