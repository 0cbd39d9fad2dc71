package genkit_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/firebase/genkit/go/ai/exp/localstore"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

const (
	benchSessions = 10
	benchTurns    = 50 // of two messages each
)

// BenchmarkBesideGenkit does the same with this store and with Genkit's store of files and that in
// memory, one call after the other in turns. The store of files syncs every snapshot, as both
// databases sync every commit. The ratio is that of the medians.
func BenchmarkBesideGenkit(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) store.Store{"sqlite": onSQLite, "postgres": onPostgres} {
		b.Run(name, func(b *testing.B) {
			files, err := localstore.NewFileSessionStore[custom](b.TempDir())
			require.NoError(b, err)
			st := open(b)
			sides := []*benchSide{{s: sessionsOf(st)}, {s: files}, {s: localstore.NewInMemorySessionStore[custom]()}}
			for _, side := range sides {
				side.fill(b)
			}
			for _, c := range []struct {
				name string
				call func(b *testing.B, side *benchSide)
			}{
				{"SaveTurn", func(b *testing.B, side *benchSide) {
					b.Helper()
					side.n++
					side.turn(b, side.n%benchSessions)
				}},
				{"Latest", func(b *testing.B, side *benchSide) {
					b.Helper()
					side.n++
					require.NotEmpty(b, latest(b, side.s, fmt.Sprint(side.n%benchSessions)))
				}},
				{"Get", func(b *testing.B, side *benchSide) {
					b.Helper()
					require.NotNil(b, get(b, side.s, fmt.Sprintf("%d-%d", 0, benchTurns)))
				}},
				{"Heartbeat", func(b *testing.B, side *benchSide) {
					b.Helper()
					side.n++
					beat(b, side.s, "pending", epoch.Add(time.Duration(side.n)*time.Second))
				}},
			} {
				b.Run(c.name, func(b *testing.B) { inTurns(b, sides, c.call) })
			}
		})
	}
}

// benchSide is a store with what was said in its sessions.
type benchSide struct {
	s        sessionStore
	sessions [benchSessions]benchSession
	n        int
}

type benchSession struct {
	name  string
	texts []string
	turns int
}

func (side *benchSide) fill(b *testing.B) {
	b.Helper()
	for i := range side.sessions {
		side.sessions[i].name = fmt.Sprint(i)
		for range benchTurns {
			side.turn(b, i)
		}
	}
	lone := pending(0, "")
	lone.SessionID = "lone"
	save(b, side.s, "pending", lone)
}

// turn goes on with a session by a question and an answer. After twice the turns of the beginning
// it is a new session, so that a longer run measures the same.
func (side *benchSide) turn(b *testing.B, i int) {
	b.Helper()
	s := &side.sessions[i]
	if s.turns == 2*benchTurns {
		*s = benchSession{name: s.name + "'"}
	}
	parent := ""
	if s.turns > 0 {
		parent = fmt.Sprintf("%s-%d", s.name, s.turns)
	}
	s.turns++
	s.texts = append(s.texts, fmt.Sprintf("q: what about the %dth thing that there is to know?", s.turns), fmt.Sprintf("It is the %dth, and there is no more to say of it.", s.turns))
	snap := say(s.turns, parent, s.texts...)
	snap.SessionID = s.name
	save(b, side.s, fmt.Sprintf("%s-%d", s.name, s.turns), snap)
}

func inTurns(b *testing.B, sides []*benchSide, call func(b *testing.B, side *benchSide)) {
	b.Helper()
	medians := bothtest.Medians(b, len(sides), func(side int) error {
		call(b, sides[side])
		return nil
	})
	b.ReportMetric(medians[0], "convostore-ns")
	b.ReportMetric(medians[1], "file-ns")
	b.ReportMetric(medians[0]/medians[1], "ratio-file")
	b.ReportMetric(medians[0]/medians[2], "ratio-memory")
}

func onSQLite(b *testing.B) store.Store {
	b.Helper()
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "own.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	return st
}

func onPostgres(b *testing.B) store.Store {
	b.Helper()
	st, err := postgres.Open(b.Context(), pgtest.Database(b), convostore.WithMigrate(migrate.Options{}))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	return st
}
