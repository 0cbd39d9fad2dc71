package store_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A job that runs every night trains the models that have outgrown their lists. On PostgreSQL it
// does nothing, and may stay in a program that runs on both.
func ExampleEmbeddingTraining() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx, convostore.WithMigrate(migrate.Options{Dimensions: 3}))
	must(err)
	defer func() { must(st.Close()) }()
	inbox := &conversation.Conversation{}
	for i := range 2500 {
		inbox.Messages = append(inbox.Messages, &message.Message{Role: message.RoleUser, Content: fmt.Sprintf("The parcel costs %d dollars", i)})
	}
	must(st.ForUser(uuid.New()).Conversations().Create(ctx, inbox))
	all := st.AllUsers().Embeddings()
	nightly := func() {
		_, err := all.EmbedMissing(ctx, topics{}, store.EmbedOptions{})
		must(err)
		known := map[string]store.Training{}
		trainings, err := all.Trainings(ctx)
		must(err)
		for _, t := range trainings {
			known[t.Model] = t
		}
		models, err := all.Models(ctx)
		must(err)
		for _, m := range models {
			if m.Vectors < 2*known[m.Model].Vectors {
				fmt.Println(m.Model, "has lists for most of its vectors")
				continue
			}
			trained, err := all.Train(ctx, m.Model, store.TrainOptions{})
			must(err)
			fmt.Println(trained.Model, trained.Vectors, "vectors in", trained.Lists, "lists")
		}
	}
	nightly()
	nightly()
	// Output:
	// topics-v1 2500 vectors in 100 lists
	// topics-v1 has lists for most of its vectors
}
