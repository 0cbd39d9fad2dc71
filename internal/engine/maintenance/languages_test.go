package maintenance_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// ending is a stemmer that takes one end off.
type ending struct{ language, version, end string }

func (e ending) Language() string        { return e.language }
func (e ending) Version() string         { return e.version }
func (e ending) Stem(word string) string { return strings.TrimSuffix(word, e.end) }

var (
	english      = ending{"en", "1", "ing"}
	englishAgain = ending{"en", "2", "ed"}
	german       = ending{"de", "1", "en"}
)

// asked is what the queries find in texts of English ("playing", "played") and German ("zahlen") in
// conversations that say so, and of a conversation that says nothing ("saying").
type asked struct{ play, played, zahl, say int }

func (w *languageWorld) asked(t *testing.T, st store.Store) asked {
	t.Helper()
	count := func(ask string) int {
		page, err := st.ForUser(w.user).Search().Messages(t.Context(), ask, store.TextOptions{}, store.PageRequest{})
		require.NoError(t, err)
		return len(page.Items)
	}
	for _, exact := range []string{"playing", "played", "zahlen", "saying", `"playing"`, "sayin*"} {
		require.Equal(t, 1, count(exact+" text"), "the exact word is found whatever the index is made by: %s", exact)
	}
	return asked{count("play text"), count("plays OR played -playing"), count("zahl"), count("say")}
}

type languageWorld struct {
	bothtest.Database
	user uuid.UUID
}

// open opens a store with stemmers, none if there are none.
func (w *languageWorld) open(t *testing.T, standard string, stemmers ...store.Stemmer) store.Store {
	t.Helper()
	opts := []convostore.Option{convostore.WithMigrate(migrate.Options{})}
	if len(stemmers) > 0 {
		opts = append(opts, convostore.WithStemming(standard, stemmers...))
	}
	return w.Store(t, opts...)
}

func (w *languageWorld) tell(t *testing.T, st store.Store) {
	t.Helper()
	for _, said := range [][2]string{{"en", "playing text"}, {"en", "played text"}, {"de", "zahlen text"}, {"", "saying text"}} {
		require.NoError(t, st.ForUser(w.user).Conversations().Create(t.Context(), &conversation.Conversation{
			Language: said[0], Messages: []*message.Message{{Role: message.RoleUser, Content: said[1]}},
		}))
	}
}

func outdated(t *testing.T, st store.Store) int64 {
	t.Helper()
	state, err := st.AllUsers().Maintenance().SearchState(t.Context())
	require.NoError(t, err)
	require.Zero(t, state.Noted)
	return state.Outdated
}

func reindex(t *testing.T, st store.Store) {
	t.Helper()
	require.NoError(t, st.AllUsers().Maintenance().ReindexSearch(t.Context(), nil))
	require.Zero(t, outdated(t, st))
}

// TestStemmersChange opens stores with other stemmers than the index was made by: they find the
// exact words, say what is outdated, and find the forms once the index was made anew.
func TestStemmersChange(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := &languageWorld{d, uuid.New()}
		plain := w.open(t, "")
		w.tell(t, plain)
		require.NoError(t, plain.AllUsers().Maintenance().PackSearch(t.Context()))
		require.Zero(t, outdated(t, plain))

		en := w.open(t, "", english)
		require.Equal(t, int64(4), outdated(t, en), "no text was asked for its language")
		require.Equal(t, asked{played: 1}, w.asked(t, en))
		reindex(t, en)
		require.Equal(t, asked{play: 1, played: 1}, w.asked(t, en))

		both := w.open(t, "", english, german)
		require.Equal(t, int64(4), outdated(t, both), "the segment has a German text")
		require.Equal(t, asked{played: 1}, w.asked(t, both))
		reindex(t, both)
		require.Equal(t, asked{play: 1, played: 1, zahl: 1}, w.asked(t, both))
		require.Equal(t, int64(4), outdated(t, en))

		standard := w.open(t, "en", english, german)
		require.Equal(t, asked{played: 1}, w.asked(t, standard), "a text without a language is in another one now")
		reindex(t, standard)
		require.Equal(t, asked{play: 1, played: 1, zahl: 1, say: 1}, w.asked(t, standard))

		newer := w.open(t, "en", englishAgain, german)
		require.Equal(t, int64(4), outdated(t, newer))
		require.Equal(t, asked{played: 1}, w.asked(t, newer))
		reindex(t, newer)
		require.Equal(t, asked{play: 1, played: 1, zahl: 1}, w.asked(t, newer))

		require.Zero(t, outdated(t, plain), "without stemmers the exact words are all that is asked for")
		require.Equal(t, asked{played: 1}, w.asked(t, plain))
		reindex(t, plain)
		require.Equal(t, asked{played: 1}, w.asked(t, newer))
		require.Equal(t, int64(4), outdated(t, newer))
	})
}

// TestStemmersOfNoText: a stemmer for a language that no text is in changes nothing.
func TestStemmersOfNoText(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := &languageWorld{d, uuid.New()}
		st := w.open(t, "en", english, german)
		w.tell(t, st)
		require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
		more := w.open(t, "en", english, german, ending{"fr", "1", "er"})
		require.Zero(t, outdated(t, more))
		require.Equal(t, asked{play: 1, played: 1, zahl: 1, say: 1}, w.asked(t, more))
	})
}

// TestStoresWithAndWithoutStemmers: what a store without stemmers packs does not make the rest of
// the index outdated, however many segments are merged.
func TestStoresWithAndWithoutStemmers(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		w := &languageWorld{d, uuid.New()}
		with, without := w.open(t, "en", english), w.open(t, "")
		for i := range 24 {
			st := []store.Store{with, without}[i%2]
			require.NoError(t, st.ForUser(w.user).Conversations().Create(t.Context(), &conversation.Conversation{
				Messages: []*message.Message{{Role: message.RoleUser, Content: fmt.Sprintf("n%d playing", i)}},
			}))
			require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
		}
		count := func(ask string) int {
			page, err := with.ForUser(w.user).Search().Messages(t.Context(), ask, store.TextOptions{}, store.PageRequest{Limit: 100})
			require.NoError(t, err)
			return len(page.Items)
		}
		require.Equal(t, int64(12), outdated(t, with))
		require.Equal(t, 12, count("play"))
		require.Equal(t, 24, count("playing"))
		state, err := with.AllUsers().Maintenance().SearchState(t.Context())
		require.NoError(t, err)
		require.Less(t, state.Segments, int64(24), "they are merged")
		reindex(t, with)
		require.Equal(t, 24, count("play"))
	})
}
