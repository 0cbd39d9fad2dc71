package recipes

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
)

// openWithReplicas sends reads to standbys that have what the same user wrote, and else to the primary.
func openWithReplicas(ctx context.Context, primary string, standbys ...string) (store.Store, error) {
	return postgres.Open(ctx, primary,
		convostore.WithMigrate(migrate.Options{}), // on the primary
		postgres.WithReplicas(standbys...),
		postgres.WithReplicaPolicy(postgres.ReplicaPolicy{MaxLag: 2 * time.Second}),
	)
}

// closeOut is of an operator who archives for a user and then reads a report of all users.
func closeOut(ctx context.Context, st store.Store, user, id uuid.UUID) (store.Summary, error) {
	ctx = store.WithSession(ctx) // what is read with it sees what was written with it, in any scope
	if _, err := st.ForUser(user).Conversations().Archive(ctx, id); err != nil {
		return store.Summary{}, err
	}
	return st.AllUsers().Reports().Summary(ctx, store.Period{})
}

// afterRedirect reads what another instance has just written.
func afterRedirect(ctx context.Context, mine store.Scope, id uuid.UUID) (*conversation.Conversation, error) {
	return mine.Conversations().Thread(store.WithPrimary(ctx), id)
}

// toCluster distributes the tables by user over a Citus cluster, unless something stands in the way.
func toCluster(ctx context.Context, db *gorm.DB, o migrate.Options) ([]migrate.Finding, error) {
	findings, err := migrate.Preflight(ctx, db, o)
	if err != nil || len(findings) > 0 {
		return findings, err
	}
	return nil, migrate.Distribute(ctx, db, o, migrate.DistributeOptions{})
}

// TestReplicas runs the recipe with a "replica" that is none: it is left out, and nobody notices.
func TestReplicas(t *testing.T) {
	t.Parallel()
	ctx, dsn := t.Context(), pgtest.Database(t)
	st, err := openWithReplicas(ctx, dsn, dsn)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	user, c := uuid.New(), &conversation.Conversation{Title: "Website"}
	require.NoError(t, st.ForUser(user).Conversations().Create(ctx, c))
	summary, err := closeOut(ctx, st, user, c.ID)
	require.NoError(t, err)
	require.EqualValues(t, 1, summary.Live.Archived)
	got, err := afterRedirect(ctx, st.ForUser(user), c.ID)
	require.NoError(t, err)
	require.Equal(t, "Website", got.Title)
	states := st.Health().Replicas()
	require.Len(t, states, 1)
	require.False(t, states[0].InUse)
}

// TestToCluster needs no cluster to see that a server without Citus is told so, and left as it was.
func TestToCluster(t *testing.T) {
	t.Parallel()
	db := hostPostgres(t)
	require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{}))
	_, err := toCluster(t.Context(), db, migrate.Options{})
	require.ErrorContains(t, err, "citus")
	require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{}))
}
