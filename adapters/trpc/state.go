package trpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// summaryPrefix is the prefix of the keys of a session's state that have its summaries.
const summaryPrefix = "convostore.summary:"

// encodeStates makes the changes of a session's state, in which nil is a value: a zero byte. A value
// that begins with a zero byte gets one more.
func encodeStates(state map[string][]byte) (store.StateMap, error) {
	if len(state) == 0 {
		return nil, nil //nolint:nilnil // no changes
	}
	changes := make(store.StateMap, len(state))
	for k, v := range state {
		if strings.HasPrefix(k, summaryPrefix) {
			return nil, fmt.Errorf("%w: %q", ErrStateKey, k)
		}
		value := conversation.Value{}
		if v == nil || bytes.HasPrefix(v, []byte{0}) {
			value = append(value, 0)
		}
		changes[k] = append(value, v...)
	}
	return changes, nil
}

func decodeState(v conversation.Value) []byte {
	switch {
	case len(v) == 0 || v[0] != 0:
		return v
	case len(v) == 1:
		return nil
	}
	return v[1:]
}

// decodeOwn adds the states of a conversation to a handle: the session's and its summaries.
func decodeOwn(sess *session.Session, states []*store.State) error {
	for _, s := range states {
		filterKey, ok := strings.CutPrefix(s.Key, summaryPrefix)
		if !ok {
			sess.State[s.Key] = decodeState(s.Value)
			continue
		}
		sum := &session.Summary{}
		if err := json.Unmarshal(s.Value, sum); err != nil {
			return fmt.Errorf("decode summary %q: %w", filterKey, err)
		}
		sess.Summaries[filterKey] = sum
	}
	return nil
}

// share adds what a session shares with others.
func share(sess *session.Session, app, user []*store.State) {
	for _, s := range app {
		sess.SetState(session.StateAppPrefix+s.Key, s.Value)
	}
	for _, s := range user {
		sess.SetState(session.StateUserPrefix+s.Key, s.Value)
	}
}

// mergeSession writes states of a session without an event.
func mergeSession(ctx context.Context, sc store.Scope, id uuid.UUID, changes store.StateMap) error {
	if err := touch(ctx, sc, id); err != nil {
		return err
	}
	_, err := sc.States().Merge(ctx, store.ConversationState(id), changes, store.MergeOptions{})
	return err
}

// UpdateSessionState changes the state of a session. A key of an app or of a user is ErrStateKey. It
// returns store.ErrNotFound if there is no such session.
func (s *Service) UpdateSessionState(ctx context.Context, key session.Key, state session.StateMap) error {
	if err := key.CheckSessionKey(); err != nil {
		return err
	}
	if err := refuse(state, session.StateAppPrefix, session.StateUserPrefix); err != nil {
		return failed("update state of", key, err)
	}
	changes, err := encodeStates(state)
	if err == nil {
		err = s.st.Transaction(ctx, func(tx store.Store) error {
			sc := tx.ForUser(s.o.Tenant(key.AppName, key.UserID))
			c, err := sc.Conversations().GetByExternalKey(ctx, ExternalKey(key.AppName, key.SessionID))
			if err != nil {
				return err
			}
			return mergeSession(ctx, sc, c.ID, changes)
		})
	}
	if err != nil {
		return failed("update state of", key, err)
	}
	return nil
}

func refuse(state session.StateMap, prefixes ...string) error {
	for k := range state {
		for _, p := range prefixes {
			if strings.HasPrefix(k, p) {
				return fmt.Errorf("%w: %q", ErrStateKey, k)
			}
		}
	}
	return nil
}

// UpdateAppState changes the state that all users of an app share. The prefix app: of a key is
// taken off.
func (s *Service) UpdateAppState(ctx context.Context, appName string, state session.StateMap) error {
	if appName == "" {
		return session.ErrAppNameRequired
	}
	return merge(ctx, s.st.AllUsers(), store.AppState(appName), shared(state, session.StateAppPrefix))
}

// DeleteAppState removes a key from the state of an app. One that is not there is no error.
func (s *Service) DeleteAppState(ctx context.Context, appName, key string) error {
	if appName == "" {
		return session.ErrAppNameRequired
	}
	return merge(ctx, s.st.AllUsers(), store.AppState(appName), store.StateMap{strings.TrimPrefix(key, session.StateAppPrefix): nil})
}

// ListAppStates returns the state of an app, by keys without their prefix.
func (s *Service) ListAppStates(ctx context.Context, appName string) (session.StateMap, error) {
	if appName == "" {
		return nil, session.ErrAppNameRequired
	}
	return list(ctx, s.st.AllUsers(), store.AppState(appName))
}

// UpdateUserState changes the state of a user with an app. The prefix user: of a key is taken off;
// keys with another prefix are ErrStateKey.
func (s *Service) UpdateUserState(ctx context.Context, key session.UserKey, state session.StateMap) error {
	if err := key.CheckUserKey(); err != nil {
		return err
	}
	if err := refuse(state, session.StateAppPrefix, session.StateTempPrefix); err != nil {
		return fmt.Errorf("trpc: update user state: %w", err)
	}
	return merge(ctx, s.scope(key.AppName, key.UserID), store.UserState(key.AppName), shared(state, session.StateUserPrefix))
}

// DeleteUserState removes a key from the state of a user. One that is not there is no error.
func (s *Service) DeleteUserState(ctx context.Context, key session.UserKey, name string) error {
	if err := key.CheckUserKey(); err != nil {
		return err
	}
	changes := store.StateMap{strings.TrimPrefix(name, session.StateUserPrefix): nil}
	return merge(ctx, s.scope(key.AppName, key.UserID), store.UserState(key.AppName), changes)
}

// ListUserStates returns the state of a user with an app, by keys without their prefix.
func (s *Service) ListUserStates(ctx context.Context, key session.UserKey) (session.StateMap, error) {
	if err := key.CheckUserKey(); err != nil {
		return nil, err
	}
	return list(ctx, s.scope(key.AppName, key.UserID), store.UserState(key.AppName))
}

// shared makes the changes of a state that sessions share, in which nil is the empty value.
func shared(state session.StateMap, prefix string) store.StateMap {
	changes := make(store.StateMap, len(state))
	for k, v := range state {
		changes[strings.TrimPrefix(k, prefix)] = append(conversation.Value{}, v...)
	}
	return changes
}

func merge(ctx context.Context, sc store.Scope, in store.StatePlace, changes store.StateMap) error {
	if _, err := sc.States().Merge(ctx, in, changes, store.MergeOptions{}); err != nil {
		return fmt.Errorf("trpc: update state of app %q: %w", in.App, err)
	}
	return nil
}

func list(ctx context.Context, sc store.Scope, in store.StatePlace) (session.StateMap, error) {
	states, err := readAll(ctx, sc, in)
	if err != nil {
		return nil, fmt.Errorf("trpc: list state of app %q: %w", in.App, err)
	}
	all := make(session.StateMap, len(states))
	for _, s := range states {
		all[s.Key] = s.Value
	}
	return all, nil
}

// readAll reads all states of a place.
func readAll(ctx context.Context, sc store.Scope, in store.StatePlace) (all []*store.State, err error) {
	f := store.StateFilter{Limit: store.MaxLimit}
	for {
		page, err := sc.States().List(ctx, in, f)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
		size := 0
		for _, s := range page {
			size += len(s.Value)
		}
		if len(page) < f.Limit && size < store.MaxPageBytes/2 {
			return all, nil // a short page ends the list unless its values filled it
		}
		f.After = page[len(page)-1].Key
	}
}

// stateOf returns a state of a conversation, nil if it has none with this key.
func stateOf(ctx context.Context, sc store.Scope, id uuid.UUID, key string) ([]byte, error) {
	s, err := sc.States().Get(ctx, store.ConversationState(id), key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeState(s.Value), nil
}
