package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// fillQuestions writes 100,000 messages in 10,000 conversations of 20 users, half of them
// questions and half answers, over a year.
func fillQuestions(b *testing.B, st store.Store) {
	b.Helper()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	users := make([]uuid.UUID, 20)
	for i := range users {
		users[i] = uuid.New()
	}
	var cs []*conversation.Conversation
	var ms []*message.Message
	for n := range 10_000 {
		c := &conversation.Conversation{ID: uuid.New(), UserID: users[n%len(users)], LeadID: string(rune('a' + n%26)), CreatedAt: begin, LastSeq: 10}
		at := begin.Add(time.Duration(n) * 50 * time.Minute)
		for i := range 10 {
			at = at.Add(time.Duration(17+n*31%4000)*time.Minute + time.Duration(n)*time.Microsecond)
			m := &message.Message{
				ID: uuid.New(), UserID: c.UserID, ConversationID: c.ID, Seq: int64(i + 1), Direction: message.DirectionInbound, Content: "text", SentAt: at,
			}
			if i%2 == 1 {
				m.Direction = message.DirectionOutbound
			}
			m.Normalize(at)
			ms = append(ms, m)
		}
		c.LastMessageAt = at
		cs = append(cs, c)
	}
	unhooked := st.DB(b.Context()).Session(&gorm.Session{SkipHooks: true})
	require.NoError(b, unhooked.Transaction(func(tx *gorm.DB) error {
		for _, c := range cs {
			c.Normalize(begin)
		}
		if err := tx.CreateInBatches(cs, 500).Error; err != nil {
			return err
		}
		return tx.CreateInBatches(ms, 500).Error
	}))
	require.NoError(b, st.DB(b.Context()).Exec("ANALYZE").Error)
}

// BenchmarkOpenHours asks for response times of everybody, in turns without a calendar, which the
// database sums up, and with one, which Go counts. A year has 500 spans, 120 of them not as the
// week says.
func BenchmarkOpenHours(b *testing.B) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(b, err)
	h := store.BusinessHours{Zone: berlin, Week: store.Workdays(store.Span{From: 9 * time.Hour, To: 12 * time.Hour}, store.Span{From: 13 * time.Hour, To: 18 * time.Hour})}
	for day := range 120 {
		h.Holidays = append(h.Holidays, store.Holiday{Date: time.Date(2026, 1, 1+3*day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)})
	}
	c, err := store.NewCalendar(h)
	require.NoError(b, err)
	asks := map[string]func(ctx context.Context, r store.Reports, p store.Period) error{
		"all": func(ctx context.Context, r store.Reports, p store.Period) error {
			_, err := r.ResponseTimes(ctx, p)
			return err
		},
		"by conversation": func(ctx context.Context, r store.Reports, p store.Period) error {
			_, err := r.ResponseTimesByConversation(ctx, store.Top{Period: p})
			return err
		},
		"by lead": func(ctx context.Context, r store.Reports, p store.Period) error {
			_, err := r.ResponseTimesByLead(ctx, store.Top{Period: p})
			return err
		},
	}
	bothtest.Bench(b, func(b *testing.B, d bothtest.Database) {
		st := d.Store(b, convostore.WithMigrate(migrate.Options{}))
		fillQuestions(b, st)
		for name, ask := range asks {
			b.Run(name, func(b *testing.B) {
				medians := bothtest.Medians(b, 2, func(side int) error {
					return ask(b.Context(), st.AllUsers().Reports(), store.Period{Calendar: []*store.Calendar{nil, c}[side]})
				})
				b.ReportMetric(medians[0]/1e6, "ms-plain")
				b.ReportMetric(medians[1]/1e6, "ms-hours")
				b.ReportMetric(medians[1]/medians[0], "ratio")
			})
		}
	})
}
