package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/store/storetest"
)

// Of the messages a twentieth are one user's, each fifth has a vector, "common" stands in
// every second and "rare" in every six hundredth. PostgreSQL, which goes by the cost, gets
// more and longer ones than SQLite, which goes by the indexes there are.
const (
	searchPlanLength     = 10
	searchPlanDimensions = 16
)

func TestSearchPlansSQLite(t *testing.T) {
	t.Parallel()
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{Dimensions: searchPlanDimensions}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	checkSearchPlans(t, st, "EXPLAIN QUERY PLAN ", func(p searchPlan) string { return p.sqlite })
}

func TestSearchPlansPostgres(t *testing.T) {
	t.Parallel()
	st, err := postgres.Open(t.Context(), pgtest.Database(t),
		convostore.WithMigrate(migrate.Options{Dimensions: searchPlanDimensions, Trigrams: true}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	checkSearchPlans(t, st, "EXPLAIN ", func(p searchPlan) string { return p.postgres })
}

// searchPlan is a search and the index that the last of its statements but the reading of
// the hits, or one before it, must use: %s is "_all" in the scope of all users.
type searchPlan struct {
	name             string
	call             func(context.Context, store.Search) error
	sqlite, postgres string
	// only is "one" or "all" where the other scope has no index for it.
	only string
	// words says that no statement at all may read a whole table of texts or of blocks.
	words bool
}

func searchPlans() []searchPlan {
	messages := func(text string, o store.TextOptions) func(context.Context, store.Search) error {
		return func(ctx context.Context, s store.Search) error {
			page, err := s.Messages(ctx, text, o, store.PageRequest{Limit: 5})
			if err == nil && len(page.Items) != 5 {
				err = fmt.Errorf("%d hits", len(page.Items))
			}
			return err
		}
	}
	threads := func(text string, o store.TextOptions) func(context.Context, store.Search) error {
		return func(ctx context.Context, s store.Search) error {
			_, err := s.Conversations(ctx, text, o, store.PageRequest{Limit: 5})
			return err
		}
	}
	similar := func(o store.SimilarOptions) func(context.Context, store.Search) error {
		return func(ctx context.Context, s store.Search) error {
			o.Model = "m"
			v := make(message.Vector, searchPlanDimensions)
			v[3] = 1
			_, err := s.SimilarMessages(ctx, store.SimilarTo{Vector: v}, o)
			return err
		}
	}
	return append(wordPlans(messages, threads), []searchPlan{
		{
			name: "part", call: messages("omm", store.TextOptions{Match: store.MatchSubstring}), only: "one",
			sqlite: "messages_created_idx", postgres: "messages_(trigram_idx|created_idx|seq_key)",
		},
		{
			name: "rare part of all", call: threads("arefie", store.TextOptions{Match: store.MatchSubstring}), only: "all",
			sqlite: "messages", postgres: "messages_trigram_idx",
		},
		{
			name: "similar of one", call: similar(store.SimilarOptions{}), only: "one",
			sqlite: "COVERING INDEX message_embeddings_code_idx", postgres: "message_embeddings_user_idx",
		},
		{
			name: "similar of one, approximate", call: similar(store.SimilarOptions{Mode: store.SearchApproximate}), only: "one",
			sqlite: "COVERING INDEX message_embeddings_code_idx", postgres: "message_embeddings_(vector|user)_idx",
		},
		{
			name: "similar of all", call: similar(store.SimilarOptions{}), only: "all",
			sqlite: "COVERING INDEX message_embeddings_code_idx", postgres: "message_embeddings_vector_idx",
		},
		{
			name: "similar of a lead", call: similar(store.SimilarOptions{Filter: store.SearchFilter{LeadID: "lead7"}}),
			sqlite: "conversations_lead_idx", postgres: "conversations_lead_idx",
		},
	}...)
}

// The statements of a search by words: the noted texts by their keys, then blocks by theirs, and
// the rows of the hits by theirs. The conversations with hits are few in this database, so that
// PostgreSQL may read all of them.
const (
	wordsSQLite = `(?s)SEARCH n USING INTEGER PRIMARY KEY.*SEARCH m USING INTEGER PRIMARY KEY.*SEARCH c USING INTEGER PRIMARY KEY.*` +
		`SEARCH b USING INDEX sqlite_autoindex_search_blocks_1 \(segment_id=\? AND part=\? AND key>\? AND key<\?\)`
	wordsPostgres = `(?s)Index Scan using messages_pkey on messages x.*Index Scan using conversations_pkey on conversations x.*` +
		`search_blocks_pkey on search_blocks x.*Index Cond: \(\(segment_id = s.id\) AND \(part = [^)]*\) AND \(key < [^)]*\) AND \(key >= `
)

func wordPlans(messages, threads func(text string, o store.TextOptions) func(context.Context, store.Search) error) (plans []searchPlan) {
	newest := store.TextOptions{Order: store.Newest}
	const liveSQLite, livePostgres = `.*SEARCH m USING INDEX sqlite_autoindex_messages_1 \(id=\?`, `.*messages_pkey`
	for name, call := range map[string]func(context.Context, store.Search) error{
		"rare, ranked": threads("rare", store.TextOptions{}), "rare, newest": threads("rare", newest),
		"common, ranked": messages("common", store.TextOptions{}), "common, newest": messages("common", newest),
		"phrase": messages(`"of many"`, store.TextOptions{}), "prefix": messages("comm*", store.TextOptions{}),
		"any": messages("rare common word7", store.TextOptions{Match: store.MatchAny}),
		"not": messages("common -rare", store.TextOptions{}),
	} {
		plans = append(plans, searchPlan{name: name, call: call, words: true, sqlite: wordsSQLite + liveSQLite, postgres: wordsPostgres + livePostgres})
	}
	for name, call := range map[string]func(context.Context, store.Search) error{
		"common in threads": threads("common", newest), "title": threads("title7", newest),
	} {
		plans = append(plans, searchPlan{name: name, call: call, words: true, sqlite: wordsSQLite, postgres: wordsPostgres})
	}
	return plans
}

// byOwner reads all rows of a user, or a whole table for a filter.
var byOwner = regexp.MustCompile(`SEARCH [mc] USING .*(\(user_id=\?\)|\(conversation_id=\? AND user_id=\?\))$|BLOOM FILTER`)

// sequential is a whole table that is read although an index was to be used.
var sequential = regexp.MustCompile(`Seq Scan on (message|search_blocks)|^SCAN (messages|m|e|message_embeddings|b|f|search_blocks)$`)

func checkSearchPlans(t *testing.T, st store.Store, explain string, index func(searchPlan) string) {
	t.Helper()
	threads, words := 500, 3
	if st.DB(t.Context()).Name() == "postgres" {
		threads, words = 1200, 15
	}
	user := fillSearchPlans(t, st, threads, words)
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
	require.NoError(t, err)
	_, err = recorded.ForUser(user).Search().Messages(t.Context(), "warm", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	for _, p := range searchPlans() {
		for name, scope := range map[string]store.Scope{"one": recorded.ForUser(user), "all": recorded.AllUsers()} {
			if p.only != "" && p.only != name {
				continue
			}
			t.Run(p.name+"/"+name, func(t *testing.T) {
				rec.Reset()
				require.NoError(t, p.call(t.Context(), scope.Search()))
				var plans []string
				recorded := rec.Statements()
				for i, s := range recorded {
					plans = append(plans, s.SQL)
					plan := explainPlan(t, st, explain, s)
					plans = append(plans, plan...)
					if !p.words && (i < len(recorded)-1 || index(p) == "messages") {
						continue
					}
					for _, step := range plan {
						assert.NotRegexp(t, sequential, step)
						if p.words {
							assert.NotRegexp(t, byOwner, step)
						}
					}
				}
				assert.Regexp(t, index(p), strings.Join(plans, "\n"))
				if t.Failed() {
					t.Log(strings.Join(plans, "\n"))
				}
			})
		}
	}
}

func fillSearchPlans(t *testing.T, st store.Store, threads, words int) (user uuid.UUID) {
	t.Helper()
	db, start := st.DB(t.Context()), time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	rng := rand.New(rand.NewPCG(1, 2))
	var cs []*conversation.Conversation
	var ms []*message.Message
	var es []*message.Embedding
	user = uuid.New()
	for n := range threads {
		at := start.Add(time.Duration(n*7919%10_000) * time.Minute)
		owner := user
		if n%20 != 0 {
			owner = uuid.NewSHA1(user, []byte{byte(n % 50)})
		}
		c := &conversation.Conversation{
			ID: uuid.New(), UserID: owner, LeadID: fmt.Sprint("lead", n%300), Title: fmt.Sprint("title", n%200),
			CreatedAt: at, LastMessageAt: at.Add(time.Hour), LastSeq: searchPlanLength,
		}
		cs = append(cs, c)
		for i := range searchPlanLength {
			content := strings.Repeat(fmt.Sprintf("word%d of many ", rng.IntN(5000)), words)
			if len(ms)%2 == 0 {
				content += "common "
			}
			if len(ms)%600 == 0 {
				content += "rare rarefied"
			}
			m := &message.Message{
				ID: uuid.New(), UserID: owner, ConversationID: c.ID, Seq: int64(i + 1), Role: message.RoleUser,
				Content: content, CreatedAt: at.Add(time.Duration(i) * time.Minute),
			}
			if ms = append(ms, m); len(ms)%5 == 0 {
				v := make(message.Vector, searchPlanDimensions)
				for d := range v {
					v[d] = float32(rng.NormFloat64())
				}
				es = append(es, &message.Embedding{MessageID: m.ID, UserID: owner, ConversationID: c.ID, Model: "m", Vector: v})
			}
		}
	}
	require.NoError(t, db.CreateInBatches(cs, 500).Error)
	require.NoError(t, db.CreateInBatches(ms, 500).Error)
	require.NoError(t, db.CreateInBatches(es, 500).Error)
	// The statistics are those of a time when all was noted: the plans must not go by them.
	require.NoError(t, db.Exec("ANALYZE").Error)
	require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
	_, err := st.AllUsers().Messages().Append(t.Context(), cs[0].ID, &message.Message{Role: message.RoleUser, Content: "common and noted"})
	require.NoError(t, err)
	return user
}
