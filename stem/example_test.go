package stem_test

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/stem"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A store that knows English, which is also the language of conversations that name none, and
// German.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx, convostore.WithMigrate(migrate.Options{}),
		convostore.WithStemming("en", stem.English, stem.German))
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine := st.ForUser(uuid.New())
	for _, c := range []*conversation.Conversation{
		{Messages: []*message.Message{{Role: message.RoleUser, Content: "Paying was never the problem."}}},
		{Language: "de", Messages: []*message.Message{{Role: message.RoleUser, Content: "Alle Rechnungen sind bezahlt."}}},
	} {
		if err := mine.Conversations().Create(ctx, c); err != nil {
			panic(err)
		}
	}
	for _, ask := range []string{"pay", `"pay"`, "Rechnung"} {
		page, err := mine.Search().Messages(ctx, ask, store.TextOptions{}, store.PageRequest{})
		if err != nil {
			panic(err)
		}
		fmt.Println(ask, len(page.Items))
		for _, hit := range page.Items {
			fmt.Println("  " + hit.Snippet.Mark("[", "]"))
		}
	}
	// Output:
	// pay 1
	//   [Paying] was never the problem.
	// "pay" 0
	// Rechnung 1
	//   Alle [Rechnungen] sind bezahlt.
}
