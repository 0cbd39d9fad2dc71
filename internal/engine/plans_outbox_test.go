package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/storetest"
)

// plannedOutbox is a read of the outbox and the index that finds its entries.
type plannedOutbox struct {
	name  string
	of    string // what the statement has that reads entries
	index map[bool]string
	read  func(ctx context.Context, s store.Scope, h store.Health) error
}

// anyOpen and anyFailed are the indexes of entries that are open and that failed, each of which is as
// small as the others.
const (
	anyOpen   = "deliveries_(due_idx|open_idx|open_key)"
	anyFailed = "deliveries_(all_)?failed_idx"
)

func plannedOutboxes(messageID uuid.UUID) (all []plannedOutbox) {
	for _, l := range []struct {
		name       string
		f          store.DeliveryFilter
		mine, ours string
	}{
		{"all", store.DeliveryFilter{}, "deliveries_user_idx", "deliveries_(pkey|1)"},
		{"open", store.DeliveryFilter{State: store.DeliveryOpen}, "deliveries_open_idx", anyOpen},
		{"failed", store.DeliveryFilter{State: store.DeliveryFailed}, anyFailed, anyFailed},
		{"failed on a channel", store.DeliveryFilter{State: store.DeliveryFailed, Channel: "mail"}, anyFailed, anyFailed},
		{"of a message", store.DeliveryFilter{MessageID: messageID, State: store.DeliveryOpen}, "deliveries_message_idx|" + anyOpen, "deliveries_message_idx|" + anyOpen},
	} {
		all = append(all, plannedOutbox{l.name, "ORDER BY", map[bool]string{false: l.mine, true: l.ours}, func(ctx context.Context, s store.Scope, _ store.Health) error {
			page, err := s.Deliveries().List(ctx, l.f, store.PageRequest{Limit: 2})
			if err == nil && page.Next != "" {
				_, err = s.Deliveries().List(ctx, l.f, store.PageRequest{Limit: 2, After: page.Next})
			}
			return err
		}})
	}
	health := func(ctx context.Context, _ store.Scope, h store.Health) error {
		_, err := h.Deliveries(ctx)
		return err
	}
	return append(all,
		plannedOutbox{"health of open ones", "count(*)", map[bool]string{true: anyOpen}, health},
		plannedOutbox{"health of failed ones", "DISTINCT", map[bool]string{true: anyFailed}, health})
}

// TestOutboxPlans has a user who has sent a hundred times as much as the others, all of whom have
// few entries that are open or failed: those are found by their own indexes, also by a plan for the
// average user, on SQLite with statistics or without. PostgreSQL without any takes all rows for
// failed ones: there only what is one user's is asked for.
func TestOutboxPlans(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st, heavy := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true})), uuid.New()
		messageID := fillOutbox(t, st, heavy)
		rec := &storetest.Recorder{}
		recorded, err := convostore.New(t.Context(), rec.Wrap(st.DB(t.Context())))
		require.NoError(t, err)
		for _, statistics := range []string{"", "ANALYZE"} {
			if statistics != "" {
				require.NoError(t, st.DB(t.Context()).Exec(statistics).Error)
			}
			for _, p := range plannedOutboxes(messageID) {
				for everybody, index := range p.index {
					if everybody && !d.SQLite && statistics == "" {
						continue
					}
					t.Run(fmt.Sprintf("%s%s, of all %v", statistics, p.name, everybody), func(t *testing.T) {
						s := recorded.ForUser(heavy)
						if everybody {
							s = recorded.AllUsers()
						}
						rec.Reset()
						require.NoError(t, p.read(t.Context(), s, recorded.Health()))
						checked := 0
						for _, statement := range rec.Statements() {
							if strings.Contains(statement.SQL, p.of) {
								checked++
								checkOutboxPlan(t, st, statement, index, d.SQLite)
							}
						}
						require.Positive(t, checked)
					})
				}
			}
		}
	})
}

func checkOutboxPlan(t *testing.T, st store.Store, s storetest.Statement, index string, sqlite bool) {
	t.Helper()
	if sqlite {
		plan := planOf(t, st, s)
		require.Regexp(t, index, plan, s.SQL)
		require.NotRegexp(t, `SCAN d$`, plan, s.SQL)
		return
	}
	for _, plan := range []string{strings.Join(explainPlan(t, st, "EXPLAIN ", s), "\n"), genericPlan(t.Context(), t, st, s)} {
		require.Regexp(t, index, plan, s.SQL)
		require.NotContains(t, plan, "Seq Scan on deliveries", s.SQL)
	}
}

// fillOutbox returns a message of the heavy user that has entries.
func fillOutbox(t *testing.T, st store.Store, heavy uuid.UUID) (messageID uuid.UUID) {
	t.Helper()
	var entries []*message.OutboxEntry
	at := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	fill := func(user uuid.UUID, done, few int) {
		c := &conversation.Conversation{Messages: []*message.Message{{Direction: message.DirectionOutbound, Content: "It is."}}}
		require.NoError(t, st.ForUser(user).Conversations().Create(t.Context(), c))
		messageID = c.Messages[0].ID
		for i := range done + 2*few {
			at = at.Add(time.Second)
			e := &message.OutboxEntry{ID: uuid.Must(uuid.NewV7()), UserID: user, MessageID: messageID, Channel: "mail", CreatedAt: at, Attempts: 1}
			switch {
			case i < done:
				e.DoneAt = &at
			case i < done+few:
				e.FailedAt = &at
			default:
				e.Channel = fmt.Sprint("channel", i)
			}
			entries = append(entries, e)
		}
	}
	for i := range 150 {
		fill(uuid.New(), 10, 1-min(1, i%50))
	}
	fill(heavy, 3000, 6)
	require.NoError(t, st.DB(t.Context()).CreateInBatches(entries, 500).Error)
	return messageID
}
