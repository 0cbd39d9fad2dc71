package postgres_test

import (
	"context"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// sentStatements counts the statements of connections.
type sentStatements struct{ n atomic.Int64 }

// TraceQueryStart implements pgx.QueryTracer.
func (s *sentStatements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*sentStatements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns the number since the last call.
func (s *sentStatements) take() int { return int(s.n.Swap(0)) }
