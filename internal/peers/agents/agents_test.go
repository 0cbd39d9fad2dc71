package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
)

// TestPeersWork keeps the program at work: every side does all that it can.
func TestPeersWork(t *testing.T) {
	o := options{dir: t.TempDir(), sessions: 30, threads: 2, messages: 60, rounds: 2, round: time.Millisecond}
	want := map[string]int{}
	for _, db := range []string{"sqlite", "sqlite-normal"} {
		want["convostore/"+db], want["langchaingo v0.1.14/"+db] = 4, 2
		want["adk v2.2.0/"+db], want["adk v2.2.0, PrepareStmt/"+db] = 4, 4
	}
	if os.Getenv(pgtest.EnvDSN) != "" || testrun.Requires(testrun.Postgres) {
		o.postgres = pgtest.Database(t)
		want["convostore/postgres"] = 4
		want["adk v2.2.0/postgres"], want["adk v2.2.0, PrepareStmt/postgres"] = 4, 4
	}
	samples := map[string]map[string]int{}
	require.NoError(t, compare(t.Context(), o, func(s sample) error {
		key := s.Side + "/" + s.Database
		if samples[key] == nil {
			samples[key] = map[string]int{}
		}
		samples[key][s.Case]++
		require.Positive(t, s.PerOp)
		require.Positive(t, s.N)
		return nil
	}))
	require.Len(t, samples, len(want))
	for key, cases := range want {
		require.Len(t, samples[key], cases, key)
		for name, rounds := range samples[key] {
			require.Equal(t, o.rounds, rounds, "%s %s", key, name)
		}
	}
}
