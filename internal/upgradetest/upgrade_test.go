package upgradetest

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
	"github.com/convostore/convostore/suggestion"
)

// rounds is how many calls each writer must have acknowledged before an upgrade, and again
// afterwards: a round of a writer is three.
const rounds = 15

// TestUpgrade upgrades the database of each release while programs of that release use it.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	eachFixture(t, func(t *testing.T, r release, d database) {
		said, errs := besideWriters(t, r, d, func() error {
			return migrate.Up(t.Context(), d.open(t), options)
		})
		require.NoError(t, errs)
		requireUpgraded(t, r, d, said)
	})
}

// TestNextStep puts migrations in the place of those of the next release: a column that is filled
// in batches, an index, a constraint and a table, applied and taken back beside programs of this
// one.
func TestNextStep(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d database) {
		d = d.load(t, head)
		db, next := d.open(t), migrate.Host{Name: "next", Files: nextStep(d.name)}
		said, errs := besideWriters(t, head, d, func() error {
			if err := next.Up(t.Context(), db, options); err != nil {
				return err
			}
			var filled, all int64
			if err := db.Raw("SELECT count(*), count(words) FROM messages WHERE created_at < '2026-04-01'").Row().Scan(&all, &filled); err != nil {
				return err
			}
			assert.Equal(t, all, filled)
			assert.Positive(t, filled)
			return next.DownTo(t.Context(), db, options, 0)
		})
		require.NoError(t, errs)
		requireUpgraded(t, head, d, said)
	})
}

func nextStep(database string) fstest.MapFS {
	up := `ALTER TABLE {{table "messages"}} ADD COLUMN words integer;
-- convostore:batch {{table "messages"}} (id, user_id) 5
UPDATE {{table "messages"}} SET words = length(content) WHERE words IS NULL AND /* batch */ true;
-- convostore:concurrently
CREATE INDEX {{name "messages_words_idx"}} ON {{table "messages"}} (user_id, words);
CREATE TABLE {{table "message_words"}} (word text PRIMARY KEY);
`
	if database == "postgres" {
		up += `-- convostore:validate
ALTER TABLE {{table "messages"}} ADD CONSTRAINT {{name "messages_words_check"}} CHECK (words >= 0);
`
	}
	down := `DROP TABLE {{table "message_words"}};
DROP INDEX {{if .Schema}}{{.Schema}}.{{end}}{{name "messages_words_idx"}};
ALTER TABLE {{table "messages"}} DROP COLUMN words;
`
	return fstest.MapFS{"1_words.up.sql": {Data: []byte(up)}, "1_words.down.sql": {Data: []byte(down)}}
}

// TestBreakingStepIsNoticed is a migration that old code does not survive: the harness must say
// so, or it would say nothing of a good one.
func TestBreakingStepIsNoticed(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, d database) {
		d = d.load(t, head)
		_, errs := besideWriters(t, head, d, func() error {
			return d.open(t).Exec("ALTER TABLE conversations RENAME COLUMN title TO name").Error
		})
		require.ErrorContains(t, errs, "title")
	})
}

// besideWriters runs a change while several programs of a release write and read. It returns what
// they acknowledged, and what failed: the change, or a call of theirs.
func besideWriters(t *testing.T, r release, d database, change func() error) ([]acknowledged, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and starts programs")
	}
	var writers []*writer
	for i := range 3 {
		writers = append(writers, r.start(t, d, fmt.Sprintf("w%c", 'a'+i)))
	}
	for _, w := range writers {
		w.more(rounds)
	}
	failed := change()
	for _, w := range writers {
		w.more(rounds)
	}
	var said []acknowledged
	for _, w := range writers {
		own, err := w.stop()
		if failed == nil {
			failed = err
		}
		said = append(said, own...)
	}
	return said, failed
}

// requireUpgraded requires the schema of this code, every row of the fixture and every row that a
// writer's call acknowledged.
func requireUpgraded(t *testing.T, r release, d database, said []acknowledged) {
	t.Helper()
	db := d.open(t)
	for name, verify := range map[string]func(context.Context, *gorm.DB, migrate.Options) ([]migrate.Drift, error){
		"Verify": migrate.Verify, "QuickVerify": migrate.QuickVerify,
	} {
		drifts, err := verify(t.Context(), db, options)
		require.NoError(t, err, name)
		require.Empty(t, drifts, name)
	}
	version, err := migrate.Version(t.Context(), db, options)
	require.NoError(t, err)
	require.Equal(t, migrate.Latest(), version)
	requireRows(t, stored(t, r, d.name), read(t, db))
	st := d.store(t)
	_, err = st.Health().Ready(t.Context())
	require.NoError(t, err)
	requireFixture(t, st, db)
	requireAcknowledged(t, st.ForUser(writerUser), said)
}

func (d database) store(t *testing.T) store.Store {
	t.Helper()
	open := postgres.Open
	if d.name == "sqlite" {
		open = sqlite.Open
	}
	st, err := open(t.Context(), d.dsn)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

// requireFixture reads the fixture's rows through the store: whole threads, by words, by vectors.
func requireFixture(t *testing.T, st store.Store, db *gorm.DB) {
	t.Helper()
	mine := st.ForUser(owner)
	c, err := mine.Conversations().Thread(t.Context(), thread(t, db).ID)
	require.NoError(t, err)
	var rows int64
	require.NoError(t, db.Model(&message.Message{}).Where("conversation_id = ?", c.ID).Count(&rows).Error)
	all, err := mine.Messages().ListNumbered(t.Context(), c.ID, store.MessageFilter{Branches: store.AllBranches}, store.NumberRequest{})
	require.NoError(t, err)
	require.Equal(t, rows, all.Total)
	require.NotEmpty(t, c.Messages)
	require.NotEmpty(t, c.Suggestions)
	hits, err := mine.Search().Messages(t.Context(), "nulstripped", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, hits.Items, 1)
	require.Equal(t, "nulstripped", hits.Items[0].Message.Content)
	like, err := mine.Search().MoreLike(t.Context(), c.Messages[0].ID, store.SimilarOptions{Model: "model-a"})
	require.NoError(t, err)
	require.Len(t, like.Hits, 1)
	require.Equal(t, c.Messages[1].ID, like.Hits[0].Message.ID)
	for _, status := range conversation.Statuses() {
		page, err := mine.Conversations().List(t.Context(), store.ConversationFilter{Statuses: []conversation.Status{status}}, store.PageRequest{})
		require.NoError(t, err)
		require.NotEmpty(t, page.Items, status)
	}
	theirs, err := st.ForUser(stranger).Conversations().Get(t.Context(), stranger)
	require.NoError(t, err)
	require.True(t, theirs.LastMessageAt.Equal(latest))
}

// requireAcknowledged requires all that the writers were told is stored.
func requireAcknowledged(t *testing.T, mine store.Scope, said []acknowledged) {
	t.Helper()
	calls, titles := map[string]int{}, map[uuid.UUID]string{}
	for _, a := range said {
		calls[a.Call]++
		switch a.Call {
		case "conversation":
			c, err := mine.Conversations().GetByExternalKey(t.Context(), a.Key)
			require.NoError(t, err)
			require.Equal(t, a.ID, c.ID)
		case "message":
			m, err := mine.Messages().Get(t.Context(), a.ID)
			require.NoError(t, err, a.Key)
			require.Equal(t, []any{a.Key, a.Text, a.Seq}, []any{m.IdempotencyKey, m.Content, m.Seq})
		case "title":
			titles[a.ID] = a.Text
		case "suggestion":
			s, err := mine.Suggestions().Get(t.Context(), a.ID)
			require.NoError(t, err)
			require.Equal(t, suggestion.StatusApproved, s.Status)
			require.NotNil(t, s.SentMessageID)
		}
	}
	for id, title := range titles {
		c, err := mine.Conversations().Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, title, c.Title)
		var n int64
		for m, err := range mine.Messages().All(t.Context(), id, store.MessageFilter{}) {
			require.NoError(t, err)
			n++
			require.Equal(t, n, m.Seq, "without gaps")
		}
		require.Equal(t, c.LastSeq, n)
	}
	for _, call := range []string{"conversation", "message", "title", "suggestion"} {
		require.Positive(t, calls[call], call)
	}
}
