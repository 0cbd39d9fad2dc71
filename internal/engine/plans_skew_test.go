package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/storetest"
)

// TestPlansOfSkewedUsers has one user with a thousand times as many conversations as the
// others. A prepared statement is planned for the average user: what costs little for three
// conversations must not be done for each row of a page.
func TestPlansOfSkewedUsers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	st, err := postgres.Open(ctx, pgtest.Database(t), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(ctx, rec.Wrap(st.DB(ctx)))
	require.NoError(t, err)

	heavy := uuid.New()
	for _, fill := range []string{
		`INSERT INTO conversations (id, user_id, status, last_seq, last_message_at) SELECT gen_random_uuid(), u, 'active', 1, now()
			FROM (SELECT gen_random_uuid() AS u FROM generate_series(1, 3000)) AS users, generate_series(1, 3)`,
		`INSERT INTO conversations (id, user_id, status, last_seq, last_message_at)
			SELECT gen_random_uuid(), '` + heavy.String() + `', 'active', 1, now() FROM generate_series(1, 3000)`,
		`INSERT INTO messages (id, user_id, conversation_id, seq, role, content) SELECT gen_random_uuid(), user_id, id, 1, 'user', 'hello' FROM conversations`,
		`INSERT INTO ai_suggestions (id, user_id, conversation_id, suggested_content) SELECT gen_random_uuid(), user_id, id, 'hi' FROM conversations`,
		"VACUUM ANALYZE conversations", "VACUUM ANALYZE messages", "VACUUM ANALYZE ai_suggestions",
	} {
		require.NoError(t, st.DB(ctx).Exec(fill).Error)
	}
	mine := recorded.ForUser(heavy)
	page, err := mine.Messages().ListByUser(ctx, store.MessageFilter{}, store.PageRequest{Limit: 1})
	require.NoError(t, err)
	one := page.Items[0]
	for name, read := range map[string]func() error{
		"message": func() error { _, err := mine.Messages().Get(ctx, one.ID); return err },
		"last":    func() error { _, err := mine.Messages().Last(ctx, one.ConversationID, 50); return err },
		"messages": func() error {
			_, err := mine.Messages().ListByUser(ctx, store.MessageFilter{}, store.PageRequest{})
			return err
		},
		"pending": func() error { _, err := mine.Suggestions().Pending(ctx, store.PageRequest{}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			rec.Reset()
			require.NoError(t, read())
			checked := 0
			for _, s := range rec.Statements() {
				if !strings.Contains(s.SQL, "FROM \"conversations\" c WHERE c") {
					continue
				}
				checked++
				plan := genericPlan(ctx, t, st, s)
				assert.Contains(t, plan, "conversations_pkey", plan)
				assert.NotRegexp(t, `conversations_(activity|created)_idx`, plan)
			}
			assert.Positive(t, checked)
		})
	}
}

// genericPlan is how PostgreSQL runs a statement that it does not plan anew for its
// arguments.
func genericPlan(ctx context.Context, t *testing.T, st store.Store, s storetest.Statement) string {
	t.Helper()
	args := make([]string, len(s.Args))
	for i, a := range s.Args {
		if at, ok := a.(time.Time); ok {
			a = at.Format(time.RFC3339Nano)
		}
		args[i] = fmt.Sprintf("'%v'", a)
	}
	var plan []string
	require.NoError(t, st.DB(ctx).Transaction(func(tx *gorm.DB) error {
		for _, statement := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE generic AS " + s.SQL} {
			if _, err := tx.Statement.ConnPool.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		execute := "EXPLAIN EXECUTE generic"
		if len(args) > 0 {
			execute += "(" + strings.Join(args, ", ") + ")"
		}
		err := tx.Raw(execute).Scan(&plan).Error
		if err == nil {
			err = tx.Exec("DEALLOCATE generic").Error
		}
		return err
	}))
	return strings.Join(plan, "\n")
}
