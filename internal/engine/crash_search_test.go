package engine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// The variables of the process that TestCrashOfSearch kills.
const (
	envSearchSQLite = "CONVOSTORE_CRASH_SEARCH_SQLITE"
	envSearchDSN    = "CONVOSTORE_CRASH_SEARCH_DSN"
	envSearchKind   = "CONVOSTORE_CRASH_SEARCH_KIND"
)

// crashKinds are what the process does over and over: it packs, which merges too; it erases a user
// whose words are packed; it makes the index anew.
var crashKinds = []string{"pack", "erase", "reindex"}

// TestCrashOfSearch kills a process that packs, erases or makes the index anew, at whatever it is
// doing. What it had acknowledged is found once, nothing that was erased is found or kept, and
// the next packing mends what is left to do.
func TestCrashOfSearch(t *testing.T) {
	t.Parallel()
	for _, kind := range crashKinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			t.Run("sqlite", func(t *testing.T) {
				crashSearch(t, bothtest.Database{SQLite: true, DSN: filepath.Join(t.TempDir(), "chat.db")}, kind)
			})
			t.Run("postgres", func(t *testing.T) { crashSearch(t, bothtest.Database{DSN: pgtest.Database(t)}, kind) })
		})
	}
}

func crashSearch(t *testing.T, d bothtest.Database, kind string) {
	t.Helper()
	rounds := 1
	if testrun.Full() {
		rounds = 10
	}
	st := d.Store(t, convostore.WithMigrate(migrate.Options{}))
	known := &crashWords{there: map[string]uuid.UUID{}, erased: map[uuid.UUID]bool{}}
	for range rounds {
		child := startChild(t, "TestCrashOfSearchChild", envSearchSQLite+"="+strconv.FormatBool(d.SQLite), envSearchDSN+"="+d.DSN, envSearchKind+"="+kind)
		child.delay = time.Duration(rand.IntN(30)) * time.Millisecond
		known.learn(child.killAfter(t, 3+rand.IntN(40)))
		checkCrashed(t, st, known)
	}
	require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
	state, err := st.AllUsers().Maintenance().SearchState(t.Context())
	require.NoError(t, err)
	assert.Zero(t, state.Noted+state.Void)
	checkCrashed(t, st, known)
	require.NoError(t, st.AllUsers().Maintenance().ReindexSearch(t.Context(), nil))
	checkCrashed(t, st, known)
}

// crashWords is what a process said: the users of words that were appended, and the users that
// were erased.
type crashWords struct {
	there  map[string]uuid.UUID
	erased map[uuid.UUID]bool
}

func (w *crashWords) learn(lines []string) {
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		user := uuid.MustParse(fields[1])
		switch fields[0] {
		case "said":
			for _, word := range fields[2:] {
				w.there[word] = user
			}
		case "erasing": // it may be erased or not
			for word, of := range w.there {
				if of == user {
					delete(w.there, word)
				}
			}
		case "erased":
			w.erased[user] = true
		}
	}
}

func checkCrashed(t *testing.T, st store.Store, known *crashWords) {
	t.Helper()
	rows := checkIndex(t, st)
	for key := range rows.kept {
		require.False(t, known.erased[key.User], "the words of an erased user are kept")
	}
	n := 0
	for word, user := range known.there {
		require.NoError(t, expectWord(t.Context(), st.ForUser(user), word, 1))
		if n++; n == 30 {
			break
		}
	}
}

// TestCrashOfSearchChild is no test: it works on the index until it is killed, and prints what it
// did.
func TestCrashOfSearchChild(t *testing.T) {
	if os.Getenv(envSearchDSN) == "" {
		t.Skip("started by the crash tests alone")
	}
	d := bothtest.Database{SQLite: os.Getenv(envSearchSQLite) == "true", DSN: os.Getenv(envSearchDSN)}
	c := &crashChild{st: d.Store(t), kind: os.Getenv(envSearchKind), user: uuid.New()}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		require.NoError(t, c.step(t))
	}
}

type crashChild struct {
	st     store.Store
	kind   string
	user   uuid.UUID
	number int
}

func (c *crashChild) step(t *testing.T) error {
	care := c.st.AllUsers().Maintenance()
	for range 1 + rand.IntN(3) {
		if err := c.say(t); err != nil {
			return err
		}
	}
	if err := care.PackSearch(t.Context()); err != nil {
		return err
	}
	fmt.Println("packed")
	switch c.kind {
	case "erase":
		fmt.Println("erasing", c.user)
		if _, err := c.st.ForUser(c.user).Maintenance().EraseUser(t.Context()); err != nil {
			return err
		}
		fmt.Println("erased", c.user)
		c.user = uuid.New()
	case "reindex":
		return care.ReindexSearch(t.Context(), func(store.SearchProgress) { fmt.Println("rebuilt") })
	}
	return nil
}

// say writes a conversation with some messages, and edits one.
func (c *crashChild) say(t *testing.T) error {
	mine, said := c.st.ForUser(c.user), []string{}
	thread := &conversation.Conversation{Title: "a crash"}
	for range 20 + rand.IntN(40) {
		c.number++
		word := "w" + letters(rand.Uint64())
		thread.Messages = append(thread.Messages, &message.Message{Role: message.RoleUser, Content: "word " + word})
		said = append(said, word)
	}
	if err := mine.Conversations().Create(t.Context(), thread); err != nil {
		return err
	}
	said[0] = "e" + letters(rand.Uint64())
	_, err := mine.Messages().Update(t.Context(), thread.Messages[0].ID, store.MessageUpdate{Content: &said[0]})
	fmt.Println("said", c.user, strings.Join(said, " "))
	return err
}
