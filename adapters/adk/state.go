package adk

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"google.golang.org/adk/v2/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// scopes are changes of state by where they are kept.
type scopes struct{ session, user, app store.StateMap }

// split sorts changes by their prefixes, which it takes off, and encodes the values. Temporary
// keys are left out. A nil value is a value, as in ADK: it removes nothing.
func split(delta map[string]any) (s scopes, err error) {
	for k, v := range delta {
		if strings.HasPrefix(k, session.KeyPrefixTemp) {
			continue
		}
		doc, err := json.Marshal(v)
		if err != nil {
			return scopes{}, fmt.Errorf("adk: encode state %q: %w", k, err)
		}
		in, name := &s.session, k
		if cut, ok := strings.CutPrefix(k, session.KeyPrefixApp); ok {
			in, name = &s.app, cut
		} else if cut, ok := strings.CutPrefix(k, session.KeyPrefixUser); ok {
			in, name = &s.user, cut
		}
		if *in == nil {
			*in = store.StateMap{}
		}
		(*in)[name] = doc
	}
	return s, nil
}

// temporary returns the changes that are for one invocation alone.
func temporary(delta map[string]any) map[string]any {
	var t map[string]any
	for k, v := range delta {
		if strings.HasPrefix(k, session.KeyPrefixTemp) {
			if t == nil {
				t = map[string]any{}
			}
			t[k] = v
		}
	}
	return t
}

// merge writes the first state of a session.
func (s scopes) merge(ctx context.Context, sc store.Scope, c *conversation.Conversation) error {
	for _, part := range []struct {
		in      store.StatePlace
		changes store.StateMap
	}{{store.AppState(c.App), s.app}, {store.UserState(c.App), s.user}, {store.ConversationState(c.ID), s.session}} {
		if len(part.changes) == 0 {
			continue
		}
		if _, err := sc.States().Merge(ctx, part.in, part.changes, store.MergeOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// decode adds stored states to those of a handle, with the prefix of their scope.
func decode(into map[string]any, prefix, key string, value []byte) error {
	var v any
	if err := json.Unmarshal(value, &v); err != nil {
		return fmt.Errorf("decode state %q: %w", prefix+key, err)
	}
	into[prefix+key] = v
	return nil
}
