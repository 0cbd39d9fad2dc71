package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// embedDims is the length of the vectors.
const embedDims = 8

// The variables that make TestCrashEmbedChild the process that gets killed.
const (
	envEmbedDialect = "CONVOSTORE_CRASH_EMBED_DIALECT"
	envEmbedDSN     = "CONVOSTORE_CRASH_EMBED_DSN"
)

func TestCrashOfAnEmbedderSQLite(t *testing.T) {
	t.Parallel()
	crashEmbedder(t, "sqlite", filepath.Join(t.TempDir(), "crash.db"))
}

func TestCrashOfAnEmbedderPostgres(t *testing.T) {
	t.Parallel()
	crashEmbedder(t, "postgres", pgtest.Database(t))
}

// crashEmbedder kills processes that embed again and again: at the end every message has
// one vector, the right one, and no claim is left.
func crashEmbedder(t *testing.T, dialect, dsn string) {
	t.Helper()
	messages, kills := 600, 3 // a kill comes after 14 batches of 10 at most, and some more until it is felt
	if testrun.Full() {
		messages, kills = 1500, 10
	}
	st := openCrashed(t.Context(), t, dialect, dsn)
	users := []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	for _, user := range users {
		c := &conversation.Conversation{}
		for i := range messages / len(users) {
			c.Messages = append(c.Messages, &message.Message{Role: message.RoleUser, Content: fmt.Sprint("message ", i)})
		}
		require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
	}
	before := int64(0)
	for range kills {
		startChild(t, "TestCrashEmbedChild", envEmbedDialect+"="+dialect, envEmbedDSN+"="+dsn).killAfter(t, 1+rand.IntN(14))
		embedded := countRows(t, st, "message_embeddings")
		assert.GreaterOrEqual(t, embedded, before, "what was written stays")
		before = embedded
	}
	t.Logf("%d of %d vectors and %d claims after %d kills", before, messages, countRows(t, st, "message_embedding_claims"), kills)
	assert.Less(t, before, int64(messages), "the last kill came too late to show anything")

	res, err := st.AllUsers().Embeddings().EmbedMissing(t.Context(), slowEmbedder{embedtest.New(embedDims), 0}, crashOptions)
	require.NoError(t, err)
	// A server may still commit what the killed client had sent: a batch for each worker.
	left, late := int64(messages)-before, int64(crashOptions.BatchSize*crashOptions.Workers)
	assert.LessOrEqual(t, res.Embedded, left)
	assert.GreaterOrEqual(t, res.Embedded, left-late)
	assert.EqualValues(t, messages, countRows(t, st, "message_embeddings"))
	assert.Zero(t, countRows(t, st, "message_embedding_claims"))
	assertVectors(t, st, users)
}

// crashOptions let claims of the dead run out soon.
var crashOptions = store.EmbedOptions{BatchSize: 10, Workers: 4, Timeout: 2 * time.Second}

func openCrashed(ctx context.Context, t *testing.T, dialect, dsn string) store.Store {
	t.Helper()
	st, err := openers[dialect](ctx, dsn, convostore.WithMigrate(migrate.Options{Dimensions: embedDims}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	return st
}

func countRows(t *testing.T, st store.Store, table string) (n int64) {
	t.Helper()
	require.NoError(t, st.DB(t.Context()).Table(table).Count(&n).Error)
	return n
}

// assertVectors compares every vector with its message.
func assertVectors(t *testing.T, st store.Store, users []uuid.UUID) {
	t.Helper()
	e := embedtest.New(embedDims)
	for _, user := range users {
		mine := st.ForUser(user)
		for m, err := range mine.Messages().AllByUser(t.Context(), store.MessageFilter{}) {
			require.NoError(t, err)
			got, err := mine.Embeddings().Get(t.Context(), m.ID, e.Model())
			require.NoError(t, err)
			require.InDeltaSlice(t, e.Vector(m.Content), []float32(got.Vector), 1e-6)
		}
	}
}

// TestCrashEmbedChild is no test: it embeds until it is killed.
func TestCrashEmbedChild(t *testing.T) {
	if os.Getenv(envEmbedDSN) == "" {
		t.Skip("started by the crash tests alone")
	}
	st := openCrashed(t.Context(), t, os.Getenv(envEmbedDialect), os.Getenv(envEmbedDSN))
	e := slowEmbedder{embedtest.New(embedDims), 40 * time.Millisecond}
	_, err := st.AllUsers().Embeddings().EmbedMissing(t.Context(), e, crashOptions)
	require.NoError(t, err)
	t.Fatal("everything was embedded before the kill")
}

// slowEmbedder takes some time, as a service over the network does, and says when it has
// begun.
type slowEmbedder struct {
	*embedtest.Embedder
	takes time.Duration
}

func (e slowEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if e.takes > 0 {
		fmt.Println("embedding")
		time.Sleep(e.takes)
	}
	if len(texts) == 0 {
		return nil, errors.New("asked for nothing")
	}
	return e.Embedder.Embed(ctx, texts)
}
