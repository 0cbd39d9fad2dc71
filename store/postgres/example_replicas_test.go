package postgres_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// It is compiled and not run: it takes three servers. TestReplicas runs what it shows.
func ExampleWithReplicas() {
	ctx := context.Background()
	st, err := postgres.Open(ctx, os.Getenv("PRIMARY"),
		postgres.WithReplicas(os.Getenv("FIRST"), os.Getenv("SECOND")),
		postgres.WithReplicaPolicy(postgres.ReplicaPolicy{MaxLag: 2 * time.Second}))
	if err != nil {
		panic(err)
	}
	defer st.Close() //nolint:errcheck // nothing is written behind the last statement

	// A user sees what was written for the user, whichever server answers.
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{Title: "Website"}
	if err := mine.Conversations().Create(ctx, c); err != nil {
		panic(err)
	}
	found, err := mine.Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
	fmt.Println(len(found.Items), err)

	// An operator who has just changed something sees it in everybody's reports as well.
	operator := store.WithSession(ctx)
	if _, err := mine.Conversations().Archive(operator, c.ID); err != nil {
		panic(err)
	}
	summary, err := st.AllUsers().Reports().Summary(operator, store.Period{})
	fmt.Println(summary, err)

	// Another process has written it: only the primary is sure to have it.
	_, err = mine.Conversations().Thread(store.WithPrimary(ctx), c.ID)
	fmt.Println(err)

	for _, r := range st.Health().Replicas() {
		fmt.Println(r.Address, r.InUse, r.Reason, r.Age)
	}
}
