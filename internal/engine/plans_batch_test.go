package engine_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
	"github.com/convostore/convostore/suggestion"
)

// batchOf is some of what a user has, for a call about it.
type batchOf struct {
	mine          store.Scope
	conversations []uuid.UUID
	messages      []uuid.UUID
}

// mails are new messages with names, one for each of some conversations.
func (b batchOf) mails(of []uuid.UUID) (ms []*message.Message) {
	for _, id := range of {
		name := uuid.NewString()
		ms = append(ms, &message.Message{
			ConversationID: id, Direction: message.DirectionInbound, Content: "text", SenderEmail: "ann@x.example",
			EmailMessageID: "<" + name + "@x.example>", GmailMessageID: name, IdempotencyKey: name,
		})
	}
	return ms
}

func plannedBatches() map[string]func(ctx context.Context, b batchOf) error {
	return map[string]func(ctx context.Context, b batchOf) error{
		"append many": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Messages().AppendMany(ctx, b.conversations[0], b.mails(slices.Repeat(b.conversations[:1], 5)), store.AppendOptions{})
			return err
		},
		"import": func(ctx context.Context, b batchOf) error {
			all := func(yield func(*message.Message, error) bool) {
				for _, m := range b.mails(b.conversations) {
					if !yield(m, nil) {
						return
					}
				}
			}
			_, err := b.mine.Messages().Import(ctx, all, store.ImportOptions{})
			return err
		},
		"create many": func(ctx context.Context, b batchOf) error {
			c := &conversation.Conversation{Messages: b.mails(make([]uuid.UUID, 5))}
			return b.mine.Conversations().Create(ctx, c)
		},
		"move": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Messages().Move(ctx, b.messages, b.conversations[0], store.MoveOptions{})
			return err
		},
		"merge": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Conversations().Merge(ctx, b.conversations[0], b.conversations[1], store.MoveOptions{})
			return err
		},
		"file": func(ctx context.Context, b batchOf) error {
			m := b.mails(make([]uuid.UUID, 1))[0]
			m.Headers = message.Headers{"References": {"<12.1@x.example> <13.1@x.example> <14.1@x.example>"}}
			f, err := b.mine.Messages().File(ctx, m, store.FileOptions{})
			if err == nil && len(f.Merged) != 2 {
				return fmt.Errorf("%d were merged", len(f.Merged))
			}
			return err
		},
		"merge with drafts": func(ctx context.Context, b batchOf) error {
			for _, id := range b.conversations[:2] {
				if err := b.mine.Suggestions().Create(ctx, &suggestion.Suggestion{ConversationID: id, SuggestedContent: "draft"}); err != nil {
					return err
				}
			}
			_, err := b.mine.Conversations().Merge(ctx, b.conversations[0], b.conversations[1], store.MoveOptions{})
			return err
		},
		"delete": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Messages().Delete(ctx, b.messages[0])
			return err
		},
		"erase": func(ctx context.Context, b batchOf) error {
			_, err := b.mine.Conversations().Erase(ctx, b.conversations[0])
			return err
		},
	}
}

// mostGiven is what a table or an index may give in a call, all statements together.
const mostGiven = 400

// TestBatchesWithoutStatistics makes calls that look many rows up at once, of a user with 6,000 mails
// on a database that was never analyzed, and counts what the tables and the indexes gave in all their
// statements, the writes too.
func TestBatchesWithoutStatistics(t *testing.T) {
	t.Parallel()
	st, user := unanalyzed(t)
	db := st.DB(t.Context())
	rec := &storetest.Recorder{}
	recorded, err := convostore.New(t.Context(), rec.Wrap(db))
	require.NoError(t, err)
	var b batchOf
	require.NoError(t, db.Model(&conversation.Conversation{}).Limit(20).Pluck("id", &b.conversations).Error)
	require.NoError(t, db.Model(&message.Message{}).Where("conversation_id NOT IN ?", b.conversations).Limit(5).Pluck("id", &b.messages).Error)
	for name, call := range plannedBatches() {
		for _, mode := range []string{"force_generic_plan", "force_custom_plan"} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				err := recorded.Transaction(t.Context(), func(tx store.Store) error {
					db := tx.DB(t.Context())
					require.NoError(t, db.Exec("SET LOCAL plan_cache_mode = "+mode).Error)
					b.mine = tx.ForUser(user)
					before := gaveRows(t, db)
					rec.Reset()
					require.NoError(t, call(t.Context(), b))
					statements, all := rec.Statements(), int64(0)
					for of, n := range gaveRows(t, db) {
						n -= before[of]
						all += n
						if !assert.Less(t, n, int64(mostGiven), of) {
							logPlans(t, db, statements, of)
						}
					}
					assert.Positive(t, all)
					return assert.AnError // nothing stays
				})
				require.ErrorIs(t, err, assert.AnError)
			})
		}
	}
}

// logPlans logs the statements that read a table or an index.
func logPlans(t *testing.T, db *gorm.DB, statements []storetest.Statement, of string) {
	t.Helper()
	for _, s := range statements {
		if !regexp.MustCompile(`^\s*(SELECT|UPDATE|DELETE|INSERT|WITH)`).MatchString(s.SQL) {
			continue
		}
		var lines []string
		require.NoError(t, db.Raw("EXPLAIN "+s.SQL, s.Args...).Scan(&lines).Error, s.SQL)
		if plan := strings.Join(lines, "\n"); strings.Contains(plan, " using "+of+" ") || strings.Contains(plan, "Seq Scan on "+of+" ") || strings.Contains(plan, "on "+of) {
			t.Log(s.SQL, "\n"+plan)
		}
	}
}

// gaveRows are the rows that each table and index has given in a transaction, by scans and look-ups.
func gaveRows(t *testing.T, db *gorm.DB) map[string]int64 {
	t.Helper()
	var rows []struct {
		Name string
		N    int64
	}
	require.NoError(t, db.Raw(`SELECT oid::regclass::text AS name, pg_stat_get_xact_tuples_returned(oid) + pg_stat_get_xact_tuples_fetched(oid) AS n
		FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'i')`).Scan(&rows).Error)
	gave := map[string]int64{}
	for _, r := range rows {
		gave[r.Name] = r.N
	}
	return gave
}
