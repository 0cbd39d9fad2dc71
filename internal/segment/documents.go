package segment

import (
	"bytes"
	"encoding/binary"
	"sort"
)

// ChunkDocuments is the number of documents in a chunk, a block of PartDocuments. The last one of
// a segment may have fewer. The chunk of an ordinal is number ordinal / ChunkDocuments.
const ChunkDocuments = 128

// Info is what a segment keeps of a document besides its words.
type Info struct {
	Key     Key
	At      int64
	Length  int // words of its main field
	Ordinal uint32
}

func documentBlocks(rows []documentRow) (documents, chunks []Block) {
	var keys, last []byte
	for first := 0; first < len(rows); first += ChunkDocuments {
		chunk := rows[first:min(len(rows), first+ChunkDocuments)]
		key := chunk[0].key[:]
		keys = frontCode(keys, last, key)
		last = key
		data := binary.AppendUvarint(nil, uint64(first))
		previous, at := key, int64(0)
		for i := range chunk {
			row := &chunk[i]
			data = frontCode(data, previous, row.key[:])
			data = binary.AppendVarint(data, row.at-at)
			data = binary.AppendUvarint(data, uint64(row.length))
			previous, at = row.key[:], row.at
		}
		documents = append(documents, Block{PartDocuments, bytes.Clone(key), data})
	}
	return documents, []Block{{PartChunks, ordinalKey(nil, 0), keys}}
}

// frontCode writes a key without the bytes that it begins with like the last one.
func frontCode(to, last, key []byte) []byte {
	same := shared(last, key)
	return append(append(to, byte(same)), key[same:]...)
}

// frontDecode reads a key over the last one, and returns where the next bytes begin: more than
// len(b) if there is no key at i.
func frontDecode(b []byte, i int, last *[keySize]byte) (next int) {
	if i >= len(b) || b[i] > keySize || len(b)-i-1 < keySize-int(b[i]) {
		return len(b) + 1
	}
	return i + 1 + copy(last[b[i]:], b[i+1:])
}

// Documents decodes a chunk.
func Documents(b Block) ([]Info, error) {
	bad := func(i int) error { return corrupt(PartDocuments, "a chunk, at byte %d of %d", i, len(b.Data)) }
	if len(b.Key) != keySize {
		return nil, corrupt(PartDocuments, "a chunk with a key of %d bytes", len(b.Key))
	}
	first, i := uvarint(b.Data, 0)
	last, at := [keySize]byte(b.Key), int64(0)
	infos := make([]Info, 0, ChunkDocuments)
	for i < len(b.Data) {
		before := last
		i = frontDecode(b.Data, i, &last)
		if i > len(b.Data) || len(infos) == ChunkDocuments || (bytes.Compare(before[:], last[:]) >= 0) != (len(infos) == 0) {
			return nil, bad(i)
		}
		step, n := binary.Varint(b.Data[i:])
		length, end := uvarint(b.Data, i+n)
		if n <= 0 || end > len(b.Data) || length > maxLength {
			return nil, bad(i)
		}
		key, err := KeyOf(last[:])
		if err != nil {
			return nil, err
		}
		at, i = at+step, end
		infos = append(infos, Info{Key: key, At: at, Length: int(length), Ordinal: first + uint32(len(infos))})
	}
	if i > len(b.Data) || len(infos) == 0 || infos[0].Key != mustKey(b.Key) || first%ChunkDocuments != 0 || first >= maxDocuments {
		return nil, bad(i)
	}
	return infos, nil
}

// Before returns how many documents of a segment have a key below a key, or below all keys that
// begin with the bytes given. chunk is the one with the greatest key ≤ key; without one the number
// is 0.
func Before(chunk Block, key []byte) (uint32, error) {
	infos, err := Documents(chunk)
	if err != nil {
		return 0, err
	}
	var buf []byte
	n := sort.Search(len(infos), func(i int) bool {
		buf = infos[i].Key.append(buf[:0])
		return bytes.Compare(buf, key) >= 0
	})
	return infos[0].Ordinal + uint32(n), nil
}

// Chunks decodes the block of PartChunks: the keys of the segment's chunks, by their number.
func Chunks(b Block) ([][]byte, error) {
	n := 0
	var last [keySize]byte
	for i := 0; i < len(b.Data); n++ {
		before := last
		next := frontDecode(b.Data, i, &last)
		if next > len(b.Data) || n > 0 && bytes.Compare(before[:], last[:]) >= 0 {
			return nil, corrupt(PartChunks, "at byte %d of %d", i, len(b.Data))
		}
		i = next
	}
	all, keys := make([]byte, 0, n*keySize), make([][]byte, 0, n)
	for i := 0; len(keys) < n; {
		i = frontDecode(b.Data, i, &last)
		all = append(all, last[:]...)
		keys = append(keys, all[len(all)-keySize:len(all):len(all)])
	}
	return keys, nil
}

// mustKey reads bytes of the right length, of whatever kind.
func mustKey(b []byte) Key {
	key, _ := KeyOf(b)
	return key
}
