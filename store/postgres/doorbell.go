package postgres

import (
	"context"
	"crypto/rand"
	"database/sql"
	"hash/fnv"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/engine/config"
	"github.com/convostore/convostore/internal/engine/watch"
)

// WithDoorbell names the server on whose connection tails listen, where dsn of Open leads to a
// pooler: LISTEN needs a session of its own, which PgBouncer in transaction mode does not give. It
// must be the same database. A DSN that cannot be parsed is an error of Open; a server that does not
// answer is not, the tails poll until it does.
func WithDoorbell(dsn string) convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.Doorbell = dsn
		return nil
	}
}

// WithoutDoorbell has tails and watches of this store poll alone, and tells those of other
// processes nothing: they see what this store writes at their next poll.
func WithoutDoorbell() convostore.Option {
	return func(c *config.Config) error {
		c.Postgres.Silent = true
		return nil
	}
}

const (
	// ringEvery is the least time between two notices of a process.
	ringEvery = 20 * time.Millisecond
	// askEvery is how often a process that writes asks whether somebody listens by now, and so how
	// late the first change may come to a tail that has just begun.
	askEvery = 100 * time.Millisecond
	// maxRing is how many users a notice names. One of more is about anybody.
	maxRing = 100
	// answerIn is how long the server may take for a statement of the doorbell.
	answerIn = 5 * time.Second
	// lastWord is how long a store that is closed may take to say what it wrote last.
	lastWord = time.Second
	// checkEvery is how often a connection that heard nothing is checked.
	checkEvery = 30 * time.Second
)

// doorbell is watch.Doorbell by NOTIFY and LISTEN.
//
// A notice goes out after the commit and in a transaction of its own, on a connection of the pool:
// inside of an append it would make all appends of the server wait for each other. It is sent only
// if somebody listens, which the server knows from a lock: each session that listens holds it
// shared, so that it can be had alone only while there is none. The goroutine that sends ends when
// there is nothing to send.
type doorbell struct {
	pool    *sql.DB
	listen  *pgx.ConnConfig
	channel string
	lock    int64
	// self is how the process knows its own notices.
	self string

	ctx     context.Context //nolint:containedctx // of the goroutine that sends, until close
	stop    context.CancelFunc
	done    sync.WaitGroup
	closing chan struct{}

	mu      sync.Mutex
	rung    map[watch.Mark]struct{}
	sending bool
	closed  bool
}

func newDoorbell(c *config.Config, pool *sql.DB, listen *pgx.ConnConfig) (*doorbell, error) {
	if c.Postgres.Doorbell != "" {
		var err error
		if listen, err = parse(c, c.Postgres.Doorbell); err != nil {
			return nil, err
		}
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.Tables.Schema + "." + c.Tables.Prefix))
	sum := h.Sum64()
	d := &doorbell{
		pool: pool, listen: listen, channel: "convostore_" + strconv.FormatUint(sum, 16), lock: int64(sum), //nolint:gosec // any number
		self: rand.Text()[:8], closing: make(chan struct{}),
	}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// close sends what was rung, for which it waits lastWord at most: who ends right after a write
// would have the others wait for their next poll.
func (d *doorbell) close() {
	d.mu.Lock()
	already := d.closed
	d.closed = true
	d.mu.Unlock()
	if already {
		return
	}
	close(d.closing)
	late := time.AfterFunc(lastWord, d.stop)
	d.done.Wait()
	late.Stop()
	d.stop()
}

// Ring implements watch.Doorbell.
func (d *doorbell) Ring(user watch.Mark) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	d.note(user)
	if !d.sending {
		d.sending = true
		d.done.Go(d.send)
	}
}

// send sends what was rung until there is nothing to send. What could not be sent is sent again:
// the others may have their connection back before this process has, and hear of it no other way.
func (d *doorbell) send() {
	for {
		users := d.take()
		if users == nil {
			return
		}
		pause := ringEvery
		heard, err := d.notify(d.notice(users))
		if err != nil || !heard {
			pause = askEvery
		}
		if err != nil {
			d.again(users)
		}
		select {
		case <-d.closing:
			if err != nil {
				d.take() // there is no time to wait for the server
			}
		case <-time.After(pause):
		}
	}
}

// take takes the users that were rung for, nil if there are none.
func (d *doorbell) take() map[watch.Mark]struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	users := d.rung
	d.rung, d.sending = nil, users != nil
	return users
}

func (d *doorbell) again(users map[watch.Mark]struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for user := range users {
		d.note(user)
	}
}

// note adds a user to those that were rung for. The caller holds mu.
func (d *doorbell) note(user watch.Mark) {
	if d.rung == nil {
		d.rung = map[watch.Mark]struct{}{}
	}
	if len(d.rung) < maxRing {
		d.rung[user] = struct{}{}
	} else {
		d.rung[0] = struct{}{}
	}
}

// notice is the text about users.
func (d *doorbell) notice(users map[watch.Mark]struct{}) string {
	notice := d.self
	if _, anybody := users[0]; !anybody {
		for user := range users {
			notice += " " + strconv.FormatUint(uint64(user), 36)
		}
	}
	return notice
}

// notify tells those who listen, and whether there are any. The notice need not reach the disk.
func (d *doorbell) notify(notice string) (heard bool, err error) {
	ctx, done := context.WithTimeout(d.ctx, answerIn)
	defer done()
	err = d.pool.QueryRowContext(ctx, "SELECT CASE WHEN pg_try_advisory_xact_lock($1) THEN false "+
		"ELSE set_config('synchronous_commit', 'off', true) || CAST(pg_notify($2, $3) AS text) <> '' END", d.lock, d.channel, notice).Scan(&heard)
	return heard, err
}

// Listen implements watch.Doorbell.
func (d *doorbell) Listen(ctx context.Context, heard func(marks ...watch.Mark)) {
	for try := 1; ctx.Err() == nil; try = min(try+1, 6) {
		if d.session(ctx, heard) {
			try = 1
		}
		timer := time.NewTimer(100 * time.Millisecond << try)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// session listens on one connection until it is lost or ctx ends, and tells whether it could.
func (d *doorbell) session(ctx context.Context, heard func(marks ...watch.Mark)) bool {
	begin, done := context.WithTimeout(ctx, answerIn)
	defer done()
	conn, err := pgx.ConnectConfig(begin, d.listen)
	if err != nil {
		return false
	}
	defer func() {
		end, done := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer done()
		_ = conn.Close(end)
	}()
	if !d.begin(begin, conn) {
		return false
	}
	heard() // what was written since the last connection
	for {
		wait, done := context.WithTimeout(ctx, checkEvery)
		notice, err := conn.WaitForNotification(wait)
		done()
		switch {
		case err == nil:
			d.hear(notice.Payload, heard)
		case ctx.Err() != nil || conn.IsClosed() || !d.alive(ctx, conn):
			return true
		}
	}
}

// begin listens, unless the connection leads to a pooler: the sessions that it lends out hear
// nothing, and would keep the lock. A pooler gives its clients process numbers of its own.
func (d *doorbell) begin(ctx context.Context, conn *pgx.Conn) bool {
	var pid uint32
	if err := conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid); err != nil || pid != conn.PgConn().PID() {
		return false
	}
	if _, err := conn.Exec(ctx, `LISTEN "`+d.channel+`"`); err != nil {
		return false
	}
	_, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", d.lock)
	return err == nil
}

func (*doorbell) alive(ctx context.Context, conn *pgx.Conn) bool {
	ctx, done := context.WithTimeout(ctx, answerIn)
	defer done()
	return conn.Ping(ctx) == nil
}

// hear passes a notice on, unless the process sent it itself.
func (d *doorbell) hear(notice string, heard func(marks ...watch.Mark)) {
	words := strings.Fields(notice)
	if len(words) == 0 || words[0] == d.self {
		return
	}
	var marks []watch.Mark
	for _, word := range words[1:] {
		mark, err := strconv.ParseUint(word, 36, 32)
		if err != nil {
			mark = 0 // of a newer version
		}
		marks = append(marks, watch.Mark(mark))
	}
	heard(marks...)
}
