package storetest

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// stateCalls are about a conversation and a user. What is an app's is everybody's.
func stateCalls() map[string][]call {
	// inLive are a conversation, and more of a key that it has.
	inLive := func(more func(key string) []any) func(*estate, uuid.UUID) []any {
		return func(e *estate, _ uuid.UUID) []any {
			return append([]any{store.ConversationState(e.live.ID)}, more(e.inbound.ID.String())...)
		}
	}
	merging := func(v conversation.Value, expected int64) func(*estate, uuid.UUID) []any {
		return inLive(func(key string) []any {
			o := store.MergeOptions{}
			if expected > 0 {
				o.Expected = map[string]int64{key: expected}
			}
			return []any{store.StateMap{key: v}, o}
		})
	}
	ofUser := func(more ...any) func(*estate, uuid.UUID) []any {
		return with(append([]any{store.UserState("app")}, more...)...)
	}
	return map[string][]call{
		"Get": {
			{want: notFound, args: inLive(func(key string) []any { return []any{key} })},
			{want: notFound, args: ofUser("key")},
		},
		"List": {
			{want: notFound, args: inLive(func(key string) []any { return []any{store.StateFilter{Keys: []string{key}}} })},
			{want: empty, args: ofUser(store.StateFilter{Prefix: "k"})},
		},
		"OfConversation":  {{want: notFound, args: liveID}},
		"OfConversations": {{want: empty, args: func(e *estate, _ uuid.UUID) []any { return []any{[]*conversation.Conversation{e.live}} }}},
		"Merge": {
			{want: notFound, args: merging(value("1"), 0)},
			{want: notFound, args: merging(nil, 0)},
			{want: notFound, args: merging(value("1"), 1)},
			{want: own, args: ofUser(store.StateMap{"key": value("1")}, store.MergeOptions{})},
		},
	}
}
