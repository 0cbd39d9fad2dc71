package faulttest

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Disk records what is written to the files of a directory, and has calls fail. It may be used
// by several goroutines.
type Disk struct {
	dir string

	// silent says not to record, for a disk whose power is never cut.
	silent bool

	mu sync.Mutex
	// start is what was durable when the record began, by the files' names.
	start map[string]*Node
	// now is the directory as programs see it.
	now    map[string]*Node
	events []event
	faults faults
}

// Node is a file, whatever its name is by now.
type Node struct {
	disk *Disk
	base []byte
}

type eventKind int

const (
	written eventKind = iota
	truncated
	synced
	linked
	unlinked
	dirSynced
)

// event is what a call did.
type event struct {
	kind eventKind
	node *Node
	name string // of linked and unlinked
	at   int64  // where written begins, and the size that truncated leaves
	data []byte
	upto int // of a sync: how many events had happened when it began
}

// disks are the disks by their directories.
var disks sync.Map

// NewDisk puts a disk under a new directory that has the given files, all of them durable. The
// caller ends it with Forget.
func NewDisk(dir string, files map[string][]byte) (*Disk, error) {
	d := &Disk{dir: dir, start: map[string]*Node{}}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, err
		}
		d.start[name] = &Node{disk: d, base: content}
	}
	d.now = maps.Clone(d.start)
	disks.Store(dir, d)
	return d, nil
}

// Forget ends the record: the files are like any others from now on.
func (d *Disk) Forget() { disks.CompareAndDelete(d.dir, d) }

// Of returns the disk that a file is on, or nil. The shared memory of a database is on none.
func Of(path string) *Disk {
	if strings.HasSuffix(path, "-shm") {
		return nil
	}
	if d, ok := disks.Load(filepath.Dir(path)); ok {
		return d.(*Disk)
	}
	return nil
}

// Now tells how many events there were. A call that returned before it has all of its effects
// among them, and one that is made after it has none.
func (d *Disk) Now() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.events)
}

func (d *Disk) add(e event) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.silent {
		d.events = append(d.events, e)
	}
}

// Opened returns the file of a path that was opened, which may have made it.
func (d *Disk) Opened(path string) *Node {
	name := filepath.Base(path)
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.now[name]
	if n == nil {
		n = &Node{disk: d}
		d.now[name] = n
		d.events = append(d.events, event{kind: linked, node: n, name: name})
	}
	return n
}

// Deleted notes that a path is gone, with its directory synced or not.
func (d *Disk) Deleted(path string, syncDir bool) {
	name := filepath.Base(path)
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.now, name)
	d.events = append(d.events, event{kind: unlinked, name: name})
	if syncDir {
		d.events = append(d.events, event{kind: dirSynced, upto: len(d.events)})
	}
}

// Wrote notes what was written, which it copies.
func (n *Node) Wrote(data []byte, at int64) {
	n.disk.add(event{kind: written, node: n, at: at, data: append([]byte(nil), data...)})
}

// Truncated notes the size that a file was cut to.
func (n *Node) Truncated(size int64) { n.disk.add(event{kind: truncated, node: n, at: size}) }

// Synced notes a sync that began when Now was upto, and perhaps one of the directory.
func (n *Node) Synced(upto int, dir bool) {
	n.disk.add(event{kind: synced, node: n, upto: upto})
	if dir {
		n.disk.add(event{kind: dirSynced, upto: upto})
	}
}
