package trpc_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/session"
	"trpc.group/trpc-go/trpc-agent-go/session/inmemory"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

const (
	benchSessions = 20
	benchEvents   = 200
)

// BenchmarkBesideMemory does the same with this service and with the framework's own in memory, one
// call after the other in turns. The ratio is that of the medians: what it costs to keep anything.
func BenchmarkBesideMemory(b *testing.B) {
	for name, open := range map[string]func(b *testing.B) store.Store{"sqlite": onSQLite, "postgres": onPostgres} {
		b.Run(name, func(b *testing.B) {
			all := []session.Service{trpc.New(open(b), trpc.Options{}), inmemory.NewSessionService()}
			held := make([][]*session.Session, len(all))
			for i, s := range all {
				held[i] = fill(b, s)
			}
			n := benchEvents * benchSessions
			next := func() session.Key {
				n++
				return session.Key{AppName: key.AppName, UserID: key.UserID, SessionID: fmt.Sprint(n % benchSessions)}
			}
			for _, c := range []struct {
				name string
				call func(side int, s session.Service) error
			}{
				{"AppendState", func(side int, s session.Service) error {
					next()
					return s.AppendEvent(b.Context(), held[side][n%benchSessions], said(n, map[string][]byte{"step": []byte(fmt.Sprint(n))}), session.WithEventNum(50))
				}},
				{"Append", func(side int, s session.Service) error {
					next()
					return s.AppendEvent(b.Context(), held[side][n%benchSessions], said(n, nil), session.WithEventNum(50))
				}},
				{"Last50", func(_ int, s session.Service) error {
					_, err := s.GetSession(b.Context(), next(), session.WithEventNum(50))
					return err
				}},
				{"List20", func(_ int, s session.Service) error {
					_, err := s.ListSessions(b.Context(), userKey, session.WithListSessionOnlyMeta())
					return err
				}},
			} {
				b.Run(c.name, func(b *testing.B) { inTurns(b, all, c.call) })
			}
		})
	}
}

func inTurns(b *testing.B, all []session.Service, call func(side int, s session.Service) error) {
	medians := bothtest.Medians(b, len(all), func(side int) error { return call(side, all[side]) })
	b.ReportMetric(medians[0], "convostore-ns")
	b.ReportMetric(medians[1], "memory-ns")
	b.ReportMetric(medians[0]/medians[1], "ratio")
}

// fill makes the sessions and returns them.
func fill(b *testing.B, s session.Service) (held []*session.Session) {
	b.Helper()
	for i := range benchSessions {
		sess, err := s.CreateSession(b.Context(), session.Key{AppName: key.AppName, UserID: key.UserID, SessionID: fmt.Sprint(i)}, session.StateMap{"step": []byte("0")})
		require.NoError(b, err)
		for k := range benchEvents {
			require.NoError(b, s.AppendEvent(b.Context(), sess, said(i*benchEvents+k, nil)))
		}
		held = append(held, sess)
	}
	return held
}

func onSQLite(b *testing.B) store.Store {
	b.Helper()
	st, err := sqlite.Open(b.Context(), b.TempDir()+"/own.db", convostore.WithMigrate(migrate.Options{}))
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
