package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// Driver opens stores on files that a Disk sees. The function that it returns closes what it
// opened.
type Driver func(ctx context.Context, path string, s Settings) (store.Store, func() error, error)

// Settings are those of a database.
type Settings struct {
	// Synchronous is the pragma; empty for the driver's own default.
	Synchronous string
	// Checkpoint is how many pages the log may have before a commit moves them into the file; 0
	// for SQLite's own default. It is for the connection that writes.
	Checkpoint int
	// Migrate asks for the schema.
	Migrate bool
}

const dbName = "a.db"

// PowerCuts cuts the power of a store again and again.
type PowerCuts struct {
	Driver      Driver
	Synchronous string
	// Faults has calls of the disk fail before the cuts: a call that returned an error must be
	// absent then, and may be there after the cut, but whole.
	Faults bool
	// Less is by how much to divide the number of cuts; 0 is 1.
	Less int
	// template is a migrated database.
	template []byte
	// wanted says that a loss is no failure, of which the files should be kept.
	wanted bool
}

// Result counts what was tried.
type Result struct {
	Cuts int
	// Calls is how many calls of the store there were before the cuts, Acknowledged how many of
	// them had returned, and Kept how many of the others were there all the same.
	Calls, Acknowledged, Kept int
	// Failed is how many calls had returned an error, and Revived how many of these were there
	// after a cut.
	Failed, Revived int
	// Segmented is how many cuts left an index of words with segments.
	Segmented int
	// Events is how many writes, syncs and so on there were.
	Events int
}

// Add adds another result.
func (r *Result) Add(o Result) {
	r.Cuts += o.Cuts
	r.Calls += o.Calls
	r.Acknowledged += o.Acknowledged
	r.Kept += o.Kept
	r.Failed += o.Failed
	r.Revived += o.Revived
	r.Segmented += o.Segmented
	r.Events += o.Events
}

// generations is how often one database loses its power and is written to again.
const generations = 3

// cutsEach is at how many places of one generation the power is cut.
const cutsEach = 12

// Scenario writes, cuts the power at places that the seed chooses, and checks what is left. Then
// it goes on with what one of the cuts left, and so on. With one client the seed gives the same
// scenario again. An error names the seed, what is wrong, and where the files are.
func (p *PowerCuts) Scenario(t *testing.T, seed uint64) (Result, error) {
	t.Helper()
	p.prepare(t)
	r := rand.New(rand.NewPCG(seed, 12)) //nolint:gosec // must give the same numbers again
	w := &workload{user: newID(r), erasures: map[uuid.UUID]*call{}, faults: p.Faults, clients: []int{1, 1, 4, 8}[r.IntN(4)]}
	files := map[string][]byte{dbName: p.template}
	var total Result
	for range generations {
		s := Settings{Synchronous: p.Synchronous, Checkpoint: []int{0, 4, 20, 100}[r.IntN(4)]}
		disk, err := p.write(t, files, w, s, r)
		if err != nil {
			return total, fmt.Errorf("seed %d: %w", seed, err)
		}
		total.Events += disk.Now()
		for range cutsEach {
			at := r.IntN(disk.Now() + 1)
			files = disk.Cut(at, r)
			kept, err := p.check(t, files, w, at)
			if err != nil {
				return total, fmt.Errorf("seed %d, %d clients, cut at %d of %d events, files in %s: %w",
					seed, w.clients, at, disk.Now(), p.keep(files), err)
			}
			total.Add(kept)
			if total.Cuts%cutsEach == 0 {
				w.settle()
			}
		}
	}
	return total, nil
}

func (p *PowerCuts) prepare(t *testing.T) {
	t.Helper()
	if p.template != nil {
		return
	}
	path := filepath.Join(t.TempDir(), dbName)
	_, closeAll, err := p.Driver(t.Context(), path, Settings{Migrate: true})
	require.NoError(t, err)
	require.NoError(t, closeAll())
	p.template, err = os.ReadFile(path) //nolint:gosec // a path of its own
	require.NoError(t, err)
}

// Memory makes a directory in memory, where there is one, until the test ends: a test that closes and
// syncs a thousand times would wait for the disk most of its time. What a cut leaves is for a Disk to say.
func Memory(tb testing.TB) string {
	tb.Helper()
	dir, done, err := directory()
	require.NoError(tb, err)
	tb.Cleanup(done)
	return dir
}

// directory makes a directory in memory, where there is one.
func directory() (dir string, done func(), err error) {
	const memory = "/dev/shm"
	where := ""
	if info, err := os.Stat(memory); err == nil && info.IsDir() {
		where = memory
	}
	dir, err = os.MkdirTemp(where, "convostore-power-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// keep writes the files after a cut that something is wrong with to where they stay.
func (p *PowerCuts) keep(files map[string][]byte) string {
	if p.wanted {
		return "memory"
	}
	dir, err := os.MkdirTemp("", "convostore-power-cut-")
	for name, content := range files {
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
	}
	if err != nil {
		return err.Error()
	}
	return dir
}

// write has the clients call a store whose writes are recorded.
func (p *PowerCuts) write(t *testing.T, files map[string][]byte, w *workload, s Settings, r *rand.Rand) (*Disk, error) {
	t.Helper()
	dir, done, err := directory()
	if err != nil {
		return nil, err
	}
	defer done()
	disk, err := NewDisk(dir, files)
	if err != nil {
		return nil, err
	}
	defer disk.Forget()
	st, closeAll, err := p.Driver(t.Context(), filepath.Join(dir, dbName), s)
	if err != nil {
		return nil, err
	}
	w.disk = disk
	err = w.run(t.Context(), st, r)
	if disk.Heal(); err == nil {
		err = w.live(t, st)
	}
	if closed := closeAll(); err == nil {
		err = closed
	}
	if disk.Forget(); err == nil {
		err = p.again(t, dir, w)
	}
	return disk, err
}

// again opens a store that was closed without a crash: it has what it had before, and nothing of
// what failed. The disk is forgotten by then.
func (p *PowerCuts) again(t *testing.T, dir string, w *workload) error {
	t.Helper()
	st, closeAll, err := p.Driver(t.Context(), filepath.Join(dir, dbName), Settings{})
	if err != nil {
		return fmt.Errorf("open again: %w", err)
	}
	err = w.live(t, st)
	if closed := closeAll(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("opened again: %w", err)
	}
	return nil
}

// check opens what a cut left.
func (p *PowerCuts) check(t *testing.T, files map[string][]byte, w *workload, at int) (Result, error) {
	t.Helper()
	dir, done, err := directory()
	if err != nil {
		return Result{}, err
	}
	defer done()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return Result{}, err
		}
	}
	st, closeAll, err := p.Driver(t.Context(), filepath.Join(dir, dbName), Settings{Synchronous: "OFF"})
	if err != nil {
		return Result{}, fmt.Errorf("open: %w", err)
	}
	res, err := w.check(t, st, at)
	if closed := closeAll(); err == nil {
		err = closed
	}
	return res, err
}

// intact fails if anything is wrong with the database as such.
func intact(ctx context.Context, st store.Store, whole bool) error {
	if _, err := st.Health().Ready(ctx); err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	found, err := st.Health().Check(ctx)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("%q", found)
	}
	if err != nil {
		return fmt.Errorf("integrity: %w", err)
	}
	if !whole {
		return nil
	}
	drift, err := migrate.Verify(ctx, st.DB(ctx), migrate.Options{})
	if err == nil && len(drift) > 0 {
		err = fmt.Errorf("%v", drift)
	}
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	orphans, err := st.AllUsers().Maintenance().Orphans(ctx)
	if err == nil && orphans.Total() > 0 {
		err = fmt.Errorf("%+v", orphans)
	}
	if err != nil {
		return fmt.Errorf("orphans: %w", err)
	}
	return nil
}

func newID(r *rand.Rand) (id uuid.UUID) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
