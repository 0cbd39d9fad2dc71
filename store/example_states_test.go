package store_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// An agent writes what it learned together with its reply, or neither.
func ExampleStates() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	must(err)
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{App: "travel"}
	must(mine.Conversations().Create(ctx, c))

	reply := &message.Message{Role: message.RoleAssistant, Content: "Noted: Seville in March."}
	_, err = mine.Messages().AppendMany(ctx, c.ID, []*message.Message{reply}, store.AppendOptions{States: store.AppendStates{
		Conversation: store.StateMap{"city": conversation.Value(`"Seville"`), "draft": nil},
		User:         store.StateMap{"home": conversation.Value(`"Oslo"`)},
		App:          store.StateMap{"trips": conversation.Value("1")},
	}})
	must(err)

	all, err := mine.States().OfConversation(ctx, c.ID)
	must(err)
	fmt.Printf("%s=%s %s=%s\n", all.Conversation[0].Key, all.Conversation[0].Value, all.User[0].Key, all.User[0].Value)
	trips, err := mine.States().Get(ctx, store.AppState("travel"), "trips")
	must(err)
	fmt.Printf("trips %s, version %d\n", trips.Value, trips.Version)
	// Output:
	// city="Seville" home="Oslo"
	// trips 1, version 1
}

// Two workers count in one key. Each says which version it has counted on from.
func ExampleStateWriter_Merge() {
	ctx := context.Background()
	mine, c := open(ctx)
	in := store.ConversationState(c.ID)
	_, err := mine.States().Merge(ctx, in, store.StateMap{"steps": conversation.Value("1")}, store.MergeOptions{})
	must(err)

	onlyIf := store.MergeOptions{Expected: map[string]int64{"steps": 1}}
	versions, err := mine.States().Merge(ctx, in, store.StateMap{"steps": conversation.Value("2")}, onlyIf)
	must(err)
	fmt.Println("now at version", versions["steps"])
	_, err = mine.States().Merge(ctx, in, store.StateMap{"steps": conversation.Value("2")}, onlyIf)
	var conflict *store.VersionConflictError
	fmt.Println(errors.As(err, &conflict), err)
	// Output:
	// now at version 2
	// true convostore: state "steps" is at version 2, expected 1
}

// The states that a page of a list needs come in one statement.
func ExampleStateReader_OfConversations() {
	ctx := context.Background()
	mine, c := open(ctx)
	_, err := mine.States().Merge(ctx, store.ConversationState(c.ID), store.StateMap{"step": conversation.Value("3")}, store.MergeOptions{})
	must(err)
	_, err = mine.States().Merge(ctx, store.UserState(""), store.StateMap{"language": conversation.Value("no")}, store.MergeOptions{})
	must(err)

	page, err := mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
	must(err)
	states, err := mine.States().OfConversations(ctx, page.Items)
	must(err)
	for i, s := range states {
		fmt.Println(page.Items[i].Title)
		for _, state := range append(s.Conversation, s.User...) {
			fmt.Printf("  %s = %s\n", state.Key, state.Value)
		}
	}
	// Output:
	// Holiday plans
	//   step = 3
	//   language = no
}
