package faulttest

// Call is a kind of call of a VFS.
type Call string

// The calls that can fail.
const (
	Open     Call = "open"
	Delete   Call = "delete"
	Access   Call = "access"
	Read     Call = "read"
	Write    Call = "write"
	Truncate Call = "truncate"
	Sync     Call = "sync"
	Size     Call = "size"
	Lock     Call = "lock"
	// Those of the shared memory of a write-ahead log.
	SharedMap  Call = "map shared memory"
	SharedLock Call = "lock shared memory"
)

// Failure is how a call fails.
type Failure int

// The ways of a call to go.
const (
	// Works is a call like any other.
	Works Failure = iota
	// Broken is a call that returns SQLITE_IOERR. A write has then written its first half.
	Broken
	// Full is a write that finds no room. It has written its first half.
	Full
)

// faults is the plan for which call fails.
type faults struct {
	left   int // how many calls go by before one fails; 0 for none
	how    Failure
	failed Call
}

// FailAt has the n-th call from now on fail, once: of all calls for Broken, of those that
// write for Full.
func (d *Disk) FailAt(n int, how Failure) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = faults{left: n, how: how}
}

// Heal takes the plan back, and returns the call that has failed, or "".
func (d *Disk) Heal() Call {
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := d.faults.failed
	d.faults = faults{}
	return failed
}

// Next is asked before each call. A nil Disk lets everything work.
func (d *Disk) Next(c Call) Failure {
	if d == nil {
		return Works
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	f := &d.faults
	if f.left == 0 || f.how == Full && c != Write {
		return Works
	}
	if f.left--; f.left > 0 {
		return Works
	}
	f.failed = c
	return f.how
}
