// Package segment keeps words of documents in immutable blocks of bytes, merges them, and finds
// and ranks documents in them. It knows no database: the caller stores blocks and fetches those
// that a Plan names.
//
// A segment has its documents sorted by key and numbered from 0; the number is the ordinal. Its
// blocks are, by part:
//
//   - PartTerms: terms with the documents that have them. The key is the first term of the block;
//     about 4 KB. A term with many documents has pieces of its own, with the key term, 0x00 and the
//     first ordinal as four bytes, big endian. A term is a byte of the field and a folded word,
//     or that byte with a bit, a language, a colon and the folded stem of a word.
//   - PartDocuments: keys, times and lengths of 128 documents. The key is that of the first.
//   - PartLengths: length, kind and beginning of a thread of 4,096 documents. The key is the first
//     ordinal as four bytes, big endian.
//   - PartPlaces: places of the words in pieces, with the piece's key.
//   - PartChunks: one block with the keys of all chunks of PartDocuments, for finding the chunk of
//     an ordinal.
//
// Numbers are varints as encoding/binary writes them.
package segment

import (
	"encoding/binary"
	"fmt"
)

// Part is a kind of block.
type Part uint8

// The parts of a segment.
const (
	PartTerms     Part = 1
	PartDocuments Part = 2
	PartLengths   Part = 3
	PartPlaces    Part = 4
	PartChunks    Part = 5
)

// Block is a row of a segment. Key is unique within the part.
type Block struct {
	Part      Part
	Key, Data []byte
}

// Header sums a segment up.
type Header struct {
	Documents    int
	Length       int64 // sum of the lengths of all documents
	Since, Until int64 // least and greatest At, 0 without documents
	Bytes        int64 // of the keys and data of all blocks
}

// CorruptError is a block whose bytes no Builder wrote.
type CorruptError struct {
	Part Part
	Why  string // never quotes the words of a document
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("convostore: corrupt block of part %d of the index of words: %s", e.Part, e.Why)
}

func corrupt(p Part, format string, args ...any) error {
	return &CorruptError{Part: p, Why: fmt.Sprintf(format, args...)}
}

// ordinalKey is the key of a block that begins with a document.
func ordinalKey(to []byte, ordinal uint32) []byte { return binary.BigEndian.AppendUint32(to, ordinal) }

// uvarint reads a number of at most 32 bits at i, and returns where the next one begins. Past the
// end of b there is none: it then returns more than len(b), now and for every call from there.
func uvarint(b []byte, i int) (v uint32, next int) {
	if i < len(b) && b[i] < 0x80 {
		return uint32(b[i]), i + 1
	}
	return longUvarint(b, i)
}

func longUvarint(b []byte, i int) (v uint32, next int) {
	if i >= len(b) {
		return 0, len(b) + 1
	}
	long, n := binary.Uvarint(b[i:])
	if n <= 0 || long > 1<<32-1 {
		return 0, len(b) + 1
	}
	return uint32(long), i + n
}

// cut returns the n bytes at i, and where the next begin: more than len(b) if there are fewer.
func cut(b []byte, i int, n uint32) (part []byte, next int) {
	if i > len(b) || uint64(n) > uint64(len(b)-i) {
		return nil, len(b) + 1
	}
	return b[i : i+int(n)], i + int(n)
}

// shared is the length of the longest beginning that a and b have in common.
func shared(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
