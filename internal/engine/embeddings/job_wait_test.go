package embeddings_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestClockGoesBack has claims of processes that died before the clock was put back: for hours it
// says that they have not expired. They are waited for as long as they were made for, here a
// moment. On a clock that stands still it is the same.
func TestClockGoesBack(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		now := message.Instant(time.Now())
		w := &embedWorld{user: uuid.New()}
		w.Store = d.Store(t, convostore.WithMigrate(migrate.Options{Dimensions: embedDims, WithoutVectorIndex: true}),
			convostore.WithClock(func() time.Time { return now }))
		w.mine = w.ForUser(w.user).Embeddings()
		w.conversation = w.newConversation(t, w.user)
		ids := w.addMany(t, 4)
		const lease = 50 * time.Millisecond
		for i, at := range []time.Time{now, now.Add(3 * time.Hour), now.Add(1000 * time.Hour)} {
			require.NoError(t, w.DB(t.Context()).Exec("INSERT INTO message_embedding_claims VALUES (?, ?, ?, ?, ?, ?)",
				ids[i], w.user, "m", uuid.New(), message.Instant(at), message.Instant(at.Add(lease))).Error)
		}
		// Until then, and no longer: it would be a hang.
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		began := time.Now()
		res, err := w.mine.EmbedMissing(ctx, newFake(nil), store.EmbedOptions{})
		require.NoError(t, err)
		assert.Equal(t, store.EmbedResult{Embedded: 4, Calls: res.Calls}, res)
		assert.GreaterOrEqual(t, time.Since(began), lease, "a claim that may be alive is waited for")
		w.assertNothingLeft(t)
	})
}

// TestDeadClaims: a claim is dead when nobody has extended it for as long as it was made for,
// counted from when it was first seen.
func TestDeadClaims(t *testing.T) {
	t.Parallel()
	dead := embeddings.Watch()
	user, one, two := uuid.New(), uuid.New(), uuid.New()
	begin := time.Now()
	at := func(seconds int) time.Time { return begin.Add(time.Duration(seconds) * time.Second) }
	first := embeddings.Claim(user, one, at(3600), at(3660))
	second := embeddings.Claim(user, two, at(-3600), at(-3590))
	assert.Empty(t, dead(at(0), first))
	assert.Empty(t, dead(at(60), first), "not longer than it was made for")
	extended := embeddings.Claim(user, one, at(3650), at(3710))
	assert.Empty(t, dead(at(61), extended, second), "another claim: its owner lives")
	assert.Equal(t, []embeddings.OtherClaim{second}, dead(at(72), extended, second))
	assert.Empty(t, dead(at(73)), "both are gone")
	assert.Empty(t, dead(at(1000), extended, second), "and are new when they come again")
	assert.ElementsMatch(t, []embeddings.OtherClaim{extended, second}, dead(at(2000), extended, second))
	assert.Empty(t, embeddings.Watch()(at(0), embeddings.Claim(user, one, at(9), at(3))), "even one that ended before it began is seen twice")
}
