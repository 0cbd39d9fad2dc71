package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"time"

	"github.com/convostore/convostore/store/sqlite"
)

// sample is a round of one side.
type sample struct {
	Case     string        `json:"case"`
	Database string        `json:"database"`
	Side     string        `json:"side"`
	N        int           `json:"n"`
	PerOp    time.Duration `json:"per_op"`
	// CPU is what the process used for one: on SQLite all that the work takes, with its database.
	CPU    time.Duration `json:"cpu"`
	Allocs float64       `json:"allocs"`
}

// peer is one store, filled with the sessions of the options. A nil function is what it
// cannot do.
type peer struct {
	name string
	// appendOne adds a message to a session that has none yet, last50 reads the newest 50
	// of a thread, and list20 the user's 20 sessions with the newest activity. The i-th
	// call is about another session than the one before.
	appendOne, last50, list20 func(ctx context.Context, i int) error
	// appendStates is appendOne with a key of state of the session, of the user and of the app.
	appendStates func(ctx context.Context, i int) error
	close        func() error
}

// opener opens a store at a DSN or a file and fills it.
type opener func(ctx context.Context, o options, address string) (peer, error)

// contest is a database with the stores that can use it.
type contest struct {
	database string
	openers  []opener
}

// contests are on SQLite that syncs at each commit, which is the library's default, and on one
// that does so at checkpoints alone, and on PostgreSQL as it comes.
func contests(o options) []contest {
	full, normal := file{sqlite.Full}, file{sqlite.Normal}
	all := []contest{
		{"sqlite", []opener{full.convostore, full.adkPrepared, full.adk, full.langchain}},
		{"sqlite-normal", []opener{normal.convostore, normal.adkPrepared, normal.adk, normal.langchain}},
	}
	if o.postgres != "" {
		all = append(all, contest{"postgres", []opener{openConvostorePostgres, openADKPostgres, openADKPostgresPrepared}})
	}
	return all
}

func compare(ctx context.Context, o options, emit func(sample) error) error {
	for _, c := range contests(o) {
		if err := c.run(ctx, o, emit); err != nil {
			return fmt.Errorf("%s: %w", c.database, err)
		}
	}
	return nil
}

func (c contest) run(ctx context.Context, o options, emit func(sample) error) (err error) {
	var peers []peer
	defer func() {
		for _, p := range peers {
			err = errors.Join(err, p.close())
		}
	}()
	for i, open := range c.openers {
		address := o.postgres
		if c.database != "postgres" {
			address = filepath.Join(o.dir, fmt.Sprintf("%s%d.db", c.database, i))
		}
		p, err := open(ctx, o, address)
		if err != nil {
			return err
		}
		peers = append(peers, p)
	}
	// Reads come first: appends make a session newer.
	for _, work := range []struct {
		name string
		of   func(p peer) func(ctx context.Context, i int) error
	}{
		{"Last50", func(p peer) func(context.Context, int) error { return p.last50 }},
		{"List20", func(p peer) func(context.Context, int) error { return p.list20 }},
		{"Append", func(p peer) func(context.Context, int) error { return p.appendOne }},
		{"AppendStates", func(p peer) func(context.Context, int) error { return p.appendStates }},
	} {
		if err := inTurns(ctx, o, peers, work.of, func(s sample) error {
			s.Case, s.Database = work.name, c.database
			return emit(s)
		}); err != nil {
			return fmt.Errorf("%s: %w", work.name, err)
		}
	}
	return nil
}

func inTurns(ctx context.Context, o options, peers []peer, of func(peer) func(context.Context, int) error, emit func(sample) error) error {
	var able []peer
	for _, p := range peers {
		if of(p) != nil {
			able = append(able, p)
		}
	}
	counts := make([]int, len(able))
	for r := range o.rounds {
		for k := range able {
			which := (r + k) % len(able)
			p := able[which]
			if r == 0 {
				n, err := calibrate(ctx, o.round, of(p))
				if err != nil {
					return fmt.Errorf("%s: %w", p.name, err)
				}
				counts[which] = n
			}
			s, err := once(ctx, of(p), counts[which])
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			s.Side = p.name
			if err := emit(s); err != nil {
				return err
			}
		}
	}
	return nil
}

// calibrate finds how many operations fill a round, and warms up.
func calibrate(ctx context.Context, round time.Duration, work func(context.Context, int) error) (int, error) {
	for n := 1; ; n *= 4 {
		s, err := once(ctx, work, n)
		if took := s.PerOp * time.Duration(n); err != nil || took > round/4 {
			return max(1, int(round/max(1, s.PerOp))), err
		}
	}
}

func once(ctx context.Context, work func(context.Context, int) error, n int) (sample, error) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	used, start := processTime(), time.Now()
	for i := range n {
		if err := work(ctx, i); err != nil {
			return sample{}, err
		}
	}
	took, used := time.Since(start), processTime()-used
	runtime.ReadMemStats(&after)
	return sample{N: n, PerOp: took / time.Duration(n), CPU: used / time.Duration(n), Allocs: float64(after.Mallocs-before.Mallocs) / float64(n)}, nil
}

// text is what every message says.
const text = "Thank you for the examples, they look like what we have in mind for the new site. " +
	"Could you tell us what a redesign of the front page would cost, and how long it takes?"

// newest is how many messages are read, and page how many sessions are listed.
const (
	newest = 50
	page   = 20
)

func expect(got, want int, err error) error {
	if err == nil && got != want {
		err = fmt.Errorf("%d rows, want %d", got, want)
	}
	return err
}

// file is SQLite with a setting of synchronous.
type file struct{ synchronous sqlite.Synchronous }

// dsn has the settings that convostore gives a file.
func (f file) dsn(path string) string {
	return "file:" + path + "?_txlock=immediate&_time_format=sqlite&_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(" + string(f.synchronous) + ")&_pragma=foreign_keys(1)"
}
