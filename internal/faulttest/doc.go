// Package faulttest has disks that lose power and I/O calls that fail, for tests of what a
// store keeps. A Disk is beside the real files: a driver's VFS tells it of every call, and asks
// it which one is to fail. It is for tests alone.
//
// # What a power cut does
//
// Everything that was synced is there. Of what was written since the last sync of its file, in
// sectors of 512 or 4,096 bytes, each sector has any of the contents that it was given since
// then, or the one from before; so writes are lost, reordered and torn. A sector whose write
// was under way may end in the middle, or be noise. A file has any of its sizes since its last
// sync, and what it grew by without being written is zeros. Creations and deletions count when
// their directory was synced, and may have happened or not before that. The shared memory is
// gone.
//
// One thing is taken for granted, as SQLite does by default (SQLITE_IOCAP_POWERSAFE_OVERWRITE):
// a write changes no byte beside those that it writes. So is that a sync does what it says: a
// disk that lies about it loses what it was given.
package faulttest
