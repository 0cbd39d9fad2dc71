package faulttest

import (
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/testrun"
)

// The variables that ask for a number of power cuts, and for the seed of the first scenario.
const (
	EnvCuts = "CONVOSTORE_TEST_CUTS"
	EnvSeed = "CONVOSTORE_TEST_SEED"
)

// cuts is how often to cut the power.
func cuts(t *testing.T) int {
	t.Helper()
	switch n := number(t, EnvCuts); {
	case n > 0:
		return n
	case testrun.Full():
		return 250
	case testrun.Race, testing.Short():
		return generations * cutsEach
	}
	return 5 * generations * cutsEach // a test that asks for a fifth has all generations
}

func number(t *testing.T, env string) int {
	t.Helper()
	value := os.Getenv(env)
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	require.NoError(t, err, env)
	return n
}

// KeepsAll requires that nothing is lost, two scenarios at a time.
func (p *PowerCuts) KeepsAll(t *testing.T) {
	t.Helper()
	p.prepare(t)
	wanted, seed := cuts(t)/max(1, p.Less), uint64(number(t, EnvSeed)) //nolint:gosec // any number serves
	var (
		mu    sync.Mutex
		total Result
		wrong []error
		wg    sync.WaitGroup
	)
	begin := func() (uint64, bool) {
		mu.Lock()
		defer mu.Unlock()
		seed++
		return seed - 1, total.Cuts < wanted && len(wrong) == 0
	}
	for range 2 {
		wg.Go(func() {
			for seed, more := begin(); more; seed, more = begin() {
				res, err := p.Scenario(t, seed)
				mu.Lock()
				total.Add(res)
				if err != nil {
					wrong = append(wrong, err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.Empty(t, wrong)
	t.Logf("%d cuts at %d events: %d calls, %d of them acknowledged and all there, %d under way and there, %d failed and %d of them there; %d cuts left segments",
		total.Cuts, total.Events, total.Calls, total.Acknowledged, total.Kept, total.Failed+total.Revived, total.Revived, total.Segmented)
	require.Positive(t, total.Acknowledged)
	require.Positive(t, total.Segmented)
}

// Lost returns what is wrong after one of the first power cuts, or nil. It is for databases that
// do not wait for the disk, and shows that KeepsAll would notice.
func (p *PowerCuts) Lost(t *testing.T) error {
	t.Helper()
	p.wanted = true
	for seed := range uint64(20) {
		if _, err := p.Scenario(t, seed); err != nil {
			return err
		}
	}
	return nil
}
