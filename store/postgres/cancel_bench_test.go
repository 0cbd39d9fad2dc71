package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store/postgres"
)

// BenchmarkAppendWithDeadlines has 64 clients with ten connections append to one
// conversation, each call with 30 ms, which many do not get their turn in. An operation is
// an append that was written.
func BenchmarkAppendWithDeadlines(b *testing.B) {
	const clients, conns, deadline = 64, 10, 30 * time.Millisecond
	st := fresh(b, "simple", postgres.Open, withoutIndex, postgres.WithMaxConns(conns))
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{}
	require.NoError(b, mine.Conversations().Create(b.Context(), c))
	var written, late atomic.Int64
	var running sync.WaitGroup
	b.ResetTimer()
	for range clients {
		running.Go(func() {
			for written.Load() < int64(b.N) {
				ctx, cancel := context.WithTimeout(b.Context(), deadline)
				_, err := mine.Messages().Append(ctx, c.ID, said("hello"))
				cancel()
				switch {
				case err == nil:
					written.Add(1)
				case errors.Is(err, context.DeadlineExceeded):
					late.Add(1)
				default:
					b.Error(err)
					return
				}
			}
		})
	}
	running.Wait()
	b.ReportMetric(float64(written.Load())/b.Elapsed().Seconds(), "appends/s")
	b.ReportMetric(float64(late.Load())/float64(written.Load()), "late/append")
}
