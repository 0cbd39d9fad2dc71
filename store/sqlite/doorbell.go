package sqlite

import (
	"context"
	"time"

	"github.com/convostore/convostore/internal/engine/watch"
)

// lookEvery is how often a process with tails looks whether others have written to the file.
const lookEvery = 20 * time.Millisecond

// doorbell is watch.Doorbell by the version of the file's data, which SQLite counts for every
// connection: it changes when another one has committed, in whichever process.
type doorbell struct {
	dsn string
}

// Ring implements watch.Doorbell. The commit itself is what others see.
func (*doorbell) Ring(watch.Mark) {}

// Listen implements watch.Doorbell. It has a connection of its own.
func (d *doorbell) Listen(ctx context.Context, heard func(marks ...watch.Mark)) {
	for ctx.Err() == nil {
		d.session(ctx, heard)
		rest(ctx, time.Second)
	}
}

// session looks until it cannot, such as when the file is gone.
func (d *doorbell) session(ctx context.Context, heard func(marks ...watch.Mark)) {
	pool, err := openPool(d.dsn, nil, nil)
	if err != nil {
		return
	}
	defer func() { _ = pool.Close() }()
	pool.SetMaxOpenConns(1)
	conn, err := pool.Conn(ctx)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }() // back into the pool
	last := int64(0)
	for rest(ctx, lookEvery) {
		var version int64
		if err := conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version); err != nil {
			return
		}
		if version != last {
			last = version
			heard()
		}
	}
}

// rest waits for d, and returns false when ctx has ended.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
