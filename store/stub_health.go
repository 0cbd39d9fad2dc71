package store

import (
	"context"
	"errors"
)

var errStub = errors.New("stub")

type health struct{ *store }

var _ Health = health{}

func (s *store) Health() Health                                               { return health{s} }
func (s health) Ready(ctx context.Context) (out Readiness, err error)         { return out, errStub }
func (s health) PoolStats() (out []PoolStats)                                 { return out }
func (s health) TableSizes(ctx context.Context) (out []TableSize, err error)  { return out, errStub }
func (s health) IndexUsage(ctx context.Context) (out []IndexUsage, err error) { return out, errStub }
func (s health) SlowQueries(ctx context.Context, limit int) (out []SlowQuery, err error) {
	return out, errStub
}
func (s health) ResetSlowQueries(ctx context.Context) (err error)    { return errStub }
func (s health) Pages(ctx context.Context) (out Pages, err error)    { return out, errStub }
func (s health) Check(ctx context.Context) (out []string, err error) { return out, errStub }
