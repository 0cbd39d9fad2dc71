package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/postgres"
	"github.com/convostore/convostore/store/sqlite"
)

// envLinearCalls is how many calls the histories have, instead of the usual number.
const envLinearCalls = "CONVOSTORE_LINEAR_CALLS"

const (
	linearClients  = 16
	linearThreads  = 8 // of a round
	linearPerRound = 50
)

// TestLinearSQLite has four processes of four clients share a file, kills them in the midst of
// their calls, and requires a history as of one call after the other.
func TestLinearSQLite(t *testing.T) {
	t.Parallel()
	dsn, user := filepath.Join(t.TempDir(), "linear.db"), uuid.New()
	st, err := sqlite.Open(t.Context(), dsn, convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	var children [4]*linearChild
	for i := range children {
		children[i] = &linearChild{t: t, env: []string{envLinearDSN + "=" + dsn, envLinearUser + "=" + user.String()}}
		t.Cleanup(children[i].end)
	}
	run := newLinearRun(t, st.ForUser(user))
	run.perform = func(client int, r linearRequest) linearResponse { return children[client%4].perform(r) }
	run.fault = func(n int) error { return children[n%4].kill() }
	run.faultEvery = 250
	run.all()
	for i, c := range children {
		assert.Greater(t, c.starts, 1, "child %d was killed and started again", i)
	}
	assert.Empty(t, run.failures, "only a killed process and a deadline may fail a call")
}

// TestLinearPostgres does the same with one process on a server that is killed, and whose
// sessions are.
func TestLinearPostgres(t *testing.T) {
	t.Parallel()
	server := pgtest.StartServer(t)
	st, err := postgres.Open(t.Context(), server.DSN(), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, st.Close()) })
	mine := st.ForUser(uuid.New())
	run := newLinearRun(t, mine)
	run.perform = func(_ int, r linearRequest) linearResponse { return perform(t.Context(), mine, r) }
	run.fault = func(n int) error {
		if n%20 != 0 {
			return terminateOne(t.Context(), st)
		}
		run.gate.Lock() // nobody calls a server that is known to be down
		defer run.gate.Unlock()
		if err := server.Kill(); err != nil {
			return err
		}
		return server.Restart()
	}
	run.faultEvery = 40
	run.all()
}

// terminateOne ends a session of the store, one at work if there is any.
func terminateOne(ctx context.Context, st store.Store) (err error) {
	for range 100 { // the session that asks may be one that was ended before
		if err = st.DB(ctx).Exec("SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity " +
			"WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY state = 'active' DESC, random() LIMIT 1) p").Error; err == nil {
			return nil
		}
	}
	return err
}

// linearRun makes histories and checks them, round by round. Each round has conversations of
// its own, so that its history is whole.
type linearRun struct {
	t       *testing.T
	mine    store.Scope // for what is before and after a history
	perform func(client int, r linearRequest) linearResponse
	// fault breaks something. It is called by a client after each faultEvery calls of all.
	fault      func(n int) error
	faultEvery int
	gate       sync.RWMutex
	start      time.Time

	mu       sync.Mutex
	calls    int
	unknown  int
	failures map[string]int
	history  []porcupine.Operation
	threads  []*linearThread
}

// linearThread is a conversation and what the clients know about it.
type linearThread struct {
	id      uuid.UUID
	labels  int
	appends []linearCall
	rows    map[int]uuid.UUID
	drafts  int
	seq     int64 // the highest that a call has returned
}

func newLinearRun(t *testing.T, mine store.Scope) *linearRun {
	return &linearRun{t: t, mine: mine, start: time.Now(), failures: map[string]int{}}
}

// linearCalls is how many calls a test makes.
func linearCalls(t *testing.T) int {
	if n := os.Getenv(envLinearCalls); n != "" {
		calls, err := strconv.Atoi(n)
		require.NoError(t, err)
		return calls
	}
	switch {
	case testrun.Full():
		return 8000
	case testrun.Race:
		return 1_600
	}
	return 3_200
}

func (l *linearRun) all() {
	l.t.Helper()
	seed := rand.Uint64()
	wanted := linearCalls(l.t)
	for round := uint64(0); l.calls < wanted; round++ {
		l.round(rand.New(rand.NewPCG(seed, round)))
	}
	l.t.Logf("seed %d: %d calls, of which %d were not answered, for want of time or because of %v", seed, l.calls, l.unknown, l.failures)
	assert.Less(l.t, l.unknown, l.calls/4, "most calls are answered")
	assert.Positive(l.t, l.unknown, "and some are not")
}

// round makes and checks one history.
func (l *linearRun) round(r *rand.Rand) {
	l.t.Helper()
	l.history, l.threads = nil, nil
	for range linearThreads {
		l.threads = append(l.threads, &linearThread{id: crashConversations(l.t, l.mine)[0], rows: map[int]uuid.UUID{}})
	}
	var wg sync.WaitGroup
	for client := range linearClients {
		random := rand.New(rand.NewPCG(r.Uint64(), r.Uint64()))
		wg.Go(func() {
			for range linearPerRound {
				l.one(client, random)
			}
		})
	}
	wg.Wait()
	for i := range l.threads {
		l.end(i)
	}
	checkHistory(l.t, l.history)
}

// one makes a call, and the fault that is due.
func (l *linearRun) one(client int, random *rand.Rand) {
	l.pass()
	l.mu.Lock()
	request := l.choose(random)
	l.calls++
	request.ID = l.calls
	l.mu.Unlock()
	if random.IntN(20) == 0 {
		request.Deadline = time.Duration(1 + random.IntN(int(4*time.Millisecond)))
	}
	l.note(client, request, func() linearResponse { return l.perform(client, request) })
	if request.ID%l.faultEvery == 0 {
		assert.NoError(l.t, l.fault(request.ID/l.faultEvery))
	}
}

// pass waits while a fault holds the gate, which wants calls in flight but no new ones.
func (l *linearRun) pass() {
	l.gate.RLock()
	l.gate.RUnlock() //nolint:gocritic,staticcheck // to have waited is all
}

// note makes a call and adds it to the history. A read without an answer says nothing.
func (l *linearRun) note(client int, request linearRequest, perform func() linearResponse) {
	op := porcupine.Operation{ClientId: client, Input: request.Call, Call: int64(time.Since(l.start))}
	response := perform()
	op.Output, op.Return = response.Answer, int64(time.Since(l.start))
	l.mu.Lock()
	defer l.mu.Unlock()
	if !response.Answer.Unknown {
		if request.Call.Call == callAppend && !response.Answer.NotFound {
			l.threads[request.Call.Thread].rows[request.Call.Label] = response.Row
		}
		for _, m := range response.Answer.Messages {
			l.threads[request.Call.Thread].seq = max(m.Seq, l.threads[request.Call.Thread].seq)
		}
		l.history = append(l.history, op)
		return
	}
	l.unknown++
	assert.False(l.t, response.Wrong, "%+v: %s", request, response.Err)
	if !response.Ended {
		l.failures[response.Err]++
	}
	if mayChange(request.Call) {
		op.Return = int64(1) << 62
		l.history = append(l.history, op)
	}
}

func mayChange(c linearCall) bool {
	switch c.Call {
	case callAppend, callDelete, callRestore, callDeleteThread, callRestoreThread, callSuggest, callDecide:
		return true
	}
	return false
}

// end reads a conversation when all is quiet, and says of each unanswered call what that
// shows: a message that is not there was never appended, and one that is has its place.
func (l *linearRun) end(thread int) {
	l.t.Helper()
	var last [3]linearAnswer
	for i, call := range []string{callRestoreThread, callDrafts, callEnd} {
		request := linearRequest{Call: linearCall{Call: call, Thread: thread}, Thread: l.threads[thread].id}
		l.note(0, request, func() (response linearResponse) {
			for range 100 { // each connection that a killed server left behind costs a try
				if response = perform(l.t.Context(), l.mine, request); !response.Answer.Unknown {
					break
				}
			}
			require.False(l.t, response.Answer.Unknown, response.Err)
			last[i] = response.Answer
			return response
		})
	}
	kept := l.history[:0]
	for _, op := range l.history {
		in := op.Input.(linearCall)
		if in.Thread == thread && op.Output.(linearAnswer).Unknown {
			if !tookEffect(&in, last[2].Messages, last[1].Suggestions) {
				continue
			}
			op.Input = in
		}
		kept = append(kept, op)
	}
	l.history = kept
}

// tookEffect tells whether an unanswered call may have, as far as its traces show.
func tookEffect(in *linearCall, messages []linearRow, suggestions []linearSuggestion) bool {
	switch in.Call {
	case callAppend:
		for _, m := range messages {
			if m.Label == in.Label {
				in.Seq = m.Seq
			}
		}
		return in.Seq > 0
	case callSuggest, callDecide:
		for _, g := range suggestions {
			if g.Label == in.Label {
				return in.Call == callSuggest || g.By == in.By
			}
		}
		return false
	}
	return true
}

// checkHistory requires a history that the model allows.
func checkHistory(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	for _, part := range byThread(history) {
		result := porcupine.CheckOperationsTimeout(linearModel(), part, time.Minute)
		if result != porcupine.Ok {
			t.Errorf("a history of %d calls is %s\n%s", len(part), result, explain(t, part))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// explain draws a history, and tells where the longest order that the model allows ends.
func explain(t *testing.T, part []porcupine.Operation) string {
	model := linearModel()
	_, info := porcupine.CheckOperationsVerbose(model, part, time.Minute)
	path := filepath.Join(t.ArtifactDir(), fmt.Sprintf("history-%d.html", time.Now().UnixNano()))
	require.NoError(t, porcupine.VisualizePath(model, info, path))
	var longest []porcupine.Operation
	for _, order := range info.PartialLinearizationsOperations()[0] {
		if len(order) > len(longest) {
			longest = order
		}
	}
	state, until := model.Init(), int64(0)
	placed := map[string]bool{}
	name := func(op porcupine.Operation) string {
		return fmt.Sprintf("%d–%d client %d: %s\n", op.Call, op.Return, op.ClientId, model.DescribeOperation(op.Input, op.Output))
	}
	for _, op := range longest {
		_, state = model.Step(state, op.Input, op.Output)
		placed[name(op)], until = true, max(until, op.Call)
	}
	text := fmt.Sprintf("drawn in %s\n%d calls lead to %s\nThe last of them and what comes next:\n", path, len(longest), model.DescribeState(state))
	for _, op := range longest[max(0, len(longest)-8):] {
		text += "  after " + name(op)
	}
	for _, op := range part {
		if !placed[name(op)] && op.Call <= until {
			text += "  not " + name(op)
		}
	}
	return text
}
