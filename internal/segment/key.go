package segment

import (
	"bytes"

	"github.com/google/uuid"
)

// Kind tells what a document is.
type Kind uint8

// The kinds. A conversation's title sorts before its messages.
const (
	Title   Kind = 0 // title and subject of a conversation
	Message Kind = 1
)

// Key names a document. Keys sort by user, thread, kind and id, which is also how their bytes sort.
type Key struct {
	User, Thread uuid.UUID
	Kind         Kind
	ID           uuid.UUID // of the message; of a title the thread's
}

// keySize is the number of bytes of a key.
const keySize = 16 + 16 + 1 + 16

// Bytes returns the key as 49 bytes that sort like keys.
func (k Key) Bytes() []byte { return k.append(make([]byte, 0, keySize)) }

func (k Key) append(to []byte) []byte {
	to = append(to, k.User[:]...)
	to = append(to, k.Thread[:]...)
	to = append(to, byte(k.Kind))
	return append(to, k.ID[:]...)
}

// Compare returns -1, 0 or 1, as k sorts before, with or after other.
func (k Key) Compare(other Key) int {
	if c := bytes.Compare(k.User[:], other.User[:]); c != 0 {
		return c
	}
	if c := bytes.Compare(k.Thread[:], other.Thread[:]); c != 0 {
		return c
	}
	if k.Kind != other.Kind {
		return int(k.Kind) - int(other.Kind)
	}
	return bytes.Compare(k.ID[:], other.ID[:])
}

// KeyOf reads what Bytes wrote. Anything else gets a *CorruptError.
func KeyOf(b []byte) (Key, error) {
	if len(b) != keySize {
		return Key{}, corrupt(PartDocuments, "a key of %d bytes", len(b))
	}
	if b[32] > byte(Message) {
		return Key{}, corrupt(PartDocuments, "a document of kind %d", b[32])
	}
	return Key{User: uuid.UUID(b[:16]), Thread: uuid.UUID(b[16:32]), Kind: Kind(b[32]), ID: uuid.UUID(b[33:])}, nil
}
