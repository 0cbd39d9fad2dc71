package scope

import (
	"encoding/binary"
	"sync/atomic"

	"github.com/google/uuid"
)

// Branched remembers conversations that were seen to have branches, so that a read begins with the
// statement for a path. It is a hint: that statement is right for every conversation, and only
// slower where there are no branches. So it may forget, and may take one conversation for another.
type Branched struct{ seen [4096]atomic.Uint64 }

// slot returns where a conversation is remembered, and as what. Both are of the random bytes of an id.
func (b *Branched) slot(id uuid.UUID) (*atomic.Uint64, uint64) {
	key := binary.BigEndian.Uint64(id[8:])
	return &b.seen[key%uint64(len(b.seen))], key
}

// Note remembers a conversation, in place of one that it may push out.
func (b *Branched) Note(id uuid.UUID) {
	slot, key := b.slot(id)
	slot.Store(key)
}

// Has tells whether a conversation is remembered.
func (b *Branched) Has(id uuid.UUID) bool {
	slot, key := b.slot(id)
	return slot.Load() == key
}
