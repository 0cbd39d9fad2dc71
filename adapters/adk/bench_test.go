package adk_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver of both sides

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/adapters/adk"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

const (
	benchSessions = 20
	benchEvents   = 200
)

// BenchmarkBesideADK does the same with this service and with ADK's own, one call after the other
// in turns, each on a database of its own: both sync every commit. The ratio is that of the
// medians; ADK's is the better one of its statements prepared and not.
func BenchmarkBesideADK(b *testing.B) {
	for name, services := range map[string]func(b *testing.B) []session.Service{"sqlite": onSQLite, "postgres": onPostgres} {
		b.Run(name, func(b *testing.B) {
			all := services(b)
			held := make([][]session.Session, len(all))
			for i, s := range all {
				held[i] = fill(b, s)
			}
			n := benchEvents * benchSessions
			for _, c := range []struct {
				name string
				call func(side int, s session.Service) error
			}{
				{"AppendThreeScopes", func(side int, s session.Service) error {
					n++
					return s.AppendEvent(b.Context(), held[side][n%benchSessions], event(n, map[string]any{"step": n, "user:last": n, "app:count": n}))
				}},
				{"Append", func(side int, s session.Service) error {
					n++
					return s.AppendEvent(b.Context(), held[side][n%benchSessions], event(n, nil))
				}},
				{"Last50", func(_ int, s session.Service) error {
					n++
					_, err := s.Get(b.Context(), &session.GetRequest{AppName: app, UserID: "ann", SessionID: fmt.Sprint(n % benchSessions), NumRecentEvents: 50})
					return err
				}},
				{"List20", func(_ int, s session.Service) error {
					_, err := s.List(b.Context(), &session.ListRequest{AppName: app, UserID: "ann"})
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
	own, other := medians[0], min(medians[1], medians[2])
	b.ReportMetric(own, "convostore-ns")
	b.ReportMetric(other, "adk-ns")
	b.ReportMetric(own/other, "ratio")
}

// fill makes the sessions and returns them.
func fill(b *testing.B, s session.Service) (held []session.Session) {
	b.Helper()
	for i := range benchSessions {
		got, err := s.Create(b.Context(), &session.CreateRequest{AppName: app, UserID: "ann", SessionID: fmt.Sprint(i), State: map[string]any{"step": 0, "user:last": 0, "app:count": 0}})
		require.NoError(b, err)
		for k := range benchEvents {
			require.NoError(b, s.AppendEvent(b.Context(), got.Session, event(i*benchEvents+k, nil)))
		}
		held = append(held, got.Session)
	}
	return held
}

func onSQLite(b *testing.B) []session.Service {
	b.Helper()
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "own.db"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	services := []session.Service{adk.New(st, adk.Options{})}
	for i, prepared := range []bool{false, true} {
		dsn := "file:" + filepath.Join(b.TempDir(), fmt.Sprint(i, ".db")) +
			"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(10000)&_txlock=immediate"
		pool, err := sql.Open("sqlite", dsn)
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, pool.Close()) })
		services = append(services, ofADK(b, gormsqlite.Dialector{DriverName: "sqlite", Conn: pool}, prepared))
	}
	return services
}

func onPostgres(b *testing.B) []session.Service {
	b.Helper()
	dsn := pgtest.Database(b)
	st, err := postgres.Open(b.Context(), dsn, convostore.WithMigrate(migrate.Options{}))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, st.Close()) })
	services := []session.Service{adk.New(st, adk.Options{})}
	for i, prepared := range []bool{false, true} {
		schema := fmt.Sprint("adk", i)
		require.NoError(b, st.DB(b.Context()).Exec("CREATE SCHEMA "+schema).Error)
		address, err := url.Parse(dsn)
		require.NoError(b, err)
		settings := address.Query()
		settings.Set("search_path", schema)
		address.RawQuery = settings.Encode()
		pool, err := sql.Open("pgx", address.String())
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, pool.Close()) })
		services = append(services, ofADK(b, gormpostgres.New(gormpostgres.Config{Conn: pool}), prepared))
	}
	return services
}

func ofADK(b *testing.B, d gorm.Dialector, prepared bool) session.Service {
	b.Helper()
	s, err := database.NewSessionService(d, &gorm.Config{PrepareStmt: prepared, Logger: logger.Discard})
	require.NoError(b, err)
	require.NoError(b, database.AutoMigrate(s))
	return s
}
