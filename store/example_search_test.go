package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// topics stands for a model: a dimension for each of three things that people write
// about. A real one is a call of a service or of a library.
type topics struct{}

func (topics) Model() string { return "topics-v1" }

func (topics) Embed(_ context.Context, texts []string) ([][]float32, error) {
	about := [][]string{{"price", "cost", "cheap", "dollars"}, {"parcel", "shipping", "arrived"}, {"password", "login"}}
	var vectors [][]float32
	for _, text := range texts {
		v := make([]float32, len(about))
		for i, words := range about {
			v[i] = 0.01
			for _, word := range words {
				v[i] += float32(strings.Count(strings.ToLower(text), word))
			}
		}
		vectors = append(vectors, v)
	}
	return vectors, nil
}

// inbox opens a store with a conversation for each text.
func inbox(ctx context.Context, opts ...convostore.Option) (st store.Store, mine store.Scope) {
	st, err := sqlite.OpenMemory(ctx, append(opts, convostore.WithMigrate(migrate.Options{Dimensions: 3}))...)
	must(err)
	mine = st.ForUser(uuid.New())
	for _, text := range []string{
		"What is the price of a new website?", "My parcel has not arrived, and shipping was not cheap", "I forgot my password",
		"That costs 900 dollars", "The parcel arrived, thank you",
	} {
		must(mine.Conversations().Create(ctx, &conversation.Conversation{
			Subject: "Mail", Messages: []*message.Message{{Direction: message.DirectionInbound, Content: text}},
		}))
	}
	return st, mine
}

// Words, phrases, beginnings of words and exclusions; Newest instead of the best first.
func ExampleTextSearch() {
	ctx := context.Background()
	st, mine := inbox(ctx)
	defer func() { must(st.Close()) }()

	for _, query := range []string{"parcel arrived", "parcel -shipping", `"new website" OR pass*`} {
		page, err := mine.Search().Messages(ctx, query, store.TextOptions{Order: store.Newest}, store.PageRequest{})
		must(err)
		fmt.Println(query)
		for _, hit := range page.Items {
			fmt.Println("  " + hit.Snippet.Mark("[", "]"))
		}
	}
	// Output:
	// parcel arrived
	//   The [parcel] [arrived], thank you
	//   My [parcel] has not [arrived], and shipping was not cheap
	// parcel -shipping
	//   The [parcel] arrived, thank you
	// "new website" OR pass*
	//   I forgot my [password]
	//   What is the price of a [new website]?
}

// A part of a word, in conversations: in the subject, the title or any message.
func ExampleTextSearch_conversations() {
	ctx := context.Background()
	st, mine := inbox(ctx)
	defer func() { must(st.Close()) }()

	page, err := mine.Search().Conversations(ctx, "rice", store.TextOptions{Match: store.MatchSubstring}, store.PageRequest{Limit: 20})
	must(err)
	for _, hit := range page.Items {
		fmt.Printf("%s: %s\n", hit.Conversation.Subject, hit.Snippet.HTML())
	}
	// Output:
	// Mail: What is the p<mark>rice</mark> of a new website?
}

// The meaning decides, not the words.
func ExampleSimilaritySearch() {
	ctx := context.Background()
	st, mine := inbox(ctx, convostore.WithEmbedder(topics{}))
	defer func() { must(st.Close()) }()
	_, err := mine.Embeddings().EmbedMissing(ctx, topics{}, store.EmbedOptions{})
	must(err)

	found, err := mine.Search().SimilarMessages(ctx, store.SimilarTo{Text: "How much does a website cost?"},
		store.SimilarOptions{Limit: 10, MinSimilarity: 0.7})
	must(err)
	for _, hit := range found.Hits {
		fmt.Printf("%.0f %% %s\n", 100*hit.Similarity, hit.Message.Content)
	}
	fmt.Println("exact:", found.Exact)

	again, err := mine.Search().MoreLike(ctx, found.Hits[0].Message.ID, store.SimilarOptions{Limit: 1})
	must(err)
	fmt.Println("more like it:", len(again.Hits))
	// Output:
	// 100 % What is the price of a new website?
	// 100 % That costs 900 dollars
	// exact: true
	// more like it: 1
}

// Each conversation once, with its best message and how many are relevant.
func ExampleSimilaritySearch_conversations() {
	ctx := context.Background()
	st, mine := inbox(ctx, convostore.WithEmbedder(topics{}))
	defer func() { must(st.Close()) }()
	_, err := mine.Embeddings().EmbedMissing(ctx, topics{}, store.EmbedOptions{})
	must(err)

	found, err := mine.Search().SimilarConversations(ctx, store.SimilarTo{Text: "lost parcel"}, store.SimilarOptions{Limit: 1})
	must(err)
	for _, hit := range found.Hits {
		fmt.Printf("%.0f %% %s (%d relevant)\n", 100*hit.Similarity, hit.Best.Content, hit.Relevant)
	}
	// Output:
	// 100 % The parcel arrived, thank you (1 relevant)
}

// Words and meaning together: what both lists have comes first.
func ExampleSimilaritySearch_hybrid() {
	ctx := context.Background()
	st, mine := inbox(ctx, convostore.WithEmbedder(topics{}))
	defer func() { must(st.Close()) }()
	_, err := mine.Embeddings().EmbedMissing(ctx, topics{}, store.EmbedOptions{})
	must(err)

	found, err := mine.Search().Hybrid(ctx, "website cost", store.HybridOptions{SimilarOptions: store.SimilarOptions{Limit: 2}})
	must(err)
	for _, hit := range found.Hits {
		fmt.Printf("%s (text %d, meaning %d)\n", hit.Message.Content, hit.TextRank, hit.VectorRank)
	}
	// Output:
	// What is the price of a new website? (text 1, meaning 1)
	// That costs 900 dollars (text 0, meaning 2)
}

// What has no vector yet gets one, in batches, by any number of workers at once.
func ExampleEmbeddings() {
	ctx := context.Background()
	st, mine := inbox(ctx)
	defer func() { must(st.Close()) }()

	result, err := mine.Embeddings().EmbedMissing(ctx, topics{}, store.EmbedOptions{
		BatchSize: 2, Workers: 1,
		Progress: func(p store.EmbedProgress) { fmt.Printf("%d of %d\n", p.Embedded, p.Total) },
	})
	must(err)
	fmt.Println("embedded:", result.Embedded)

	models, err := mine.Embeddings().Models(ctx)
	must(err)
	fmt.Println(models)
	// Output:
	// 2 of 5
	// 4 of 5
	// 5 of 5
	// embedded: 5
	// [{topics-v1 5}]
}

// strict is an embedder that refuses a text for good.
type strict struct{ topics }

var errTooLong = errors.New("400: the text is too long")

func (s strict) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	for _, text := range texts {
		if strings.Contains(text, "900 dollars") {
			return nil, errTooLong
		}
	}
	return s.topics.Embed(ctx, texts)
}

// A text that the embedder does not take is set aside, and the others get their vectors.
func ExampleEmbeddings_ListSetAside() {
	ctx := context.Background()
	st, mine := inbox(ctx)
	defer func() { must(st.Close()) }()

	options := store.EmbedOptions{Retry: func(err error) bool { return !errors.Is(err, errTooLong) }}
	result, err := mine.Embeddings().EmbedMissing(ctx, strict{}, options)
	must(err)
	fmt.Println("embedded:", result.Embedded, "set aside:", result.SetAside)

	page, err := mine.Embeddings().ListSetAside(ctx, "topics-v1", store.PageRequest{})
	must(err)
	for _, m := range page.Items {
		fmt.Printf("%s, %d attempts\n", m.Error, m.Attempts)
	}

	// With an embedder that takes longer texts, once it is there:
	again, err := mine.Embeddings().RetrySetAside(ctx, "topics-v1", nil)
	must(err)
	result, err = mine.Embeddings().EmbedMissing(ctx, topics{}, store.EmbedOptions{})
	must(err)
	fmt.Println("again:", again, "embedded:", result.Embedded)
	// Output:
	// embedded: 4 set aside: 1
	// 400: the text is too long, 3 attempts
	// again: 1 embedded: 1
}

// topicsV2 is a newer model.
type topicsV2 struct{ topics }

func (topicsV2) Model() string { return "topics-v2" }

// A new model is filled while the old one serves; then the stores are opened with the
// new one; then the old one goes.
func ExampleEmbeddings_DropModel() {
	ctx := context.Background()
	st, _ := inbox(ctx, convostore.WithEmbedder(topics{}))
	defer func() { must(st.Close()) }()
	all := st.AllUsers().Embeddings()
	_, err := all.EmbedMissing(ctx, topics{}, store.EmbedOptions{})
	must(err)

	_, err = all.EmbedMissing(ctx, topicsV2{}, store.EmbedOptions{})
	must(err)
	models, err := all.Models(ctx)
	must(err)
	fmt.Println(models)

	dropped, err := all.DropModel(ctx, "topics-v1")
	must(err)
	fmt.Println("dropped:", dropped)
	// Output:
	// [{topics-v1 5} {topics-v2 5}]
	// dropped: 5
}

// Words in other places than the content, and how the index of words is.
func ExampleSearchCare() {
	ctx := context.Background()
	st, mine := inbox(ctx)
	defer func() { must(st.Close()) }()
	must(mine.Conversations().Create(ctx, &conversation.Conversation{
		Messages: []*message.Message{{Role: message.RoleUser, Content: "See the file.", Attachments: message.Attachments{{Filename: "roof-report_2026.pdf"}}}},
	}))
	page, err := mine.Search().Messages(ctx, "roof pdf", store.TextOptions{In: []store.TextField{store.InAttachments}}, store.PageRequest{})
	must(err)
	fmt.Println(page.Items[0].Message.Content)
	care := st.AllUsers().Maintenance()
	must(care.PackSearch(ctx))
	state, err := care.SearchState(ctx)
	must(err)
	fmt.Println(state.Noted, state.Documents)
	// Output:
	// See the file.
	// 0 11
}

// The language of a conversation says by which stemmer its texts are found: see
// convostore.WithStemming and the module convostore/stem.
func ExampleConversationEditor_SetLanguage() {
	ctx := context.Background()
	mine, c := open(ctx)
	c, err := mine.Conversations().SetLanguage(ctx, c.ID, "de")
	must(err)
	fmt.Println(c.Language)
	_, err = mine.Conversations().SetLanguage(ctx, c.ID, "German")
	fmt.Println(errors.Is(err, store.ErrInvalid))
	// Output:
	// de
	// true
}
