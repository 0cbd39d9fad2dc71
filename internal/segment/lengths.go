package segment

import (
	"bytes"
	"encoding/binary"
)

// lengthDocuments is the number of documents in a block of PartLengths.
const lengthDocuments = 4096

// A number of PartLengths is a document's length and two bits. The kind is here so that messages
// and titles can be counted apart without reading their keys.
const (
	beginsThread = 1 << 0
	isTitle      = 1 << 1
	lengthShift  = 2
	maxLength    = 1<<(32-lengthShift) - 1
)

func lengthBlocks(rows []documentRow) (blocks []Block) {
	for first := 0; first < len(rows); first += lengthDocuments {
		var data []byte
		for i := first; i < min(len(rows), first+lengthDocuments); i++ {
			v := rows[i].length << lengthShift
			if i == 0 || !bytes.Equal(rows[i].key[:32], rows[i-1].key[:32]) {
				v |= beginsThread
			}
			if Kind(rows[i].key[32]) == Title {
				v |= isTitle
			}
			data = binary.AppendUvarint(data, uint64(v))
		}
		blocks = append(blocks, Block{PartLengths, ordinalKey(nil, uint32(first)), data})
	}
	return blocks
}

// lengths decodes the numbers of the documents from to before to.
func lengths(blocks []Block, from, to uint32) ([]uint32, error) {
	size := 0
	for _, b := range blocks {
		size += len(b.Data)
	}
	all := make([]uint32, 0, min(size, int(to-from)))
	for _, b := range blocks {
		if len(b.Key) != 4 {
			return nil, corrupt(PartLengths, "a key of %d bytes", len(b.Key))
		}
		ordinal := binary.BigEndian.Uint32(b.Key)
		if uint64(ordinal) > uint64(from)+uint64(len(all)) {
			break // the one before it is missing
		}
		data := b.Data
		for i := 0; i < len(data) && ordinal < to; ordinal++ {
			v := uint32(data[i])
			i++
			if v >= 0x80 {
				v, i = longUvarint(data, i-1)
			}
			if i > len(data) {
				return nil, corrupt(PartLengths, "at the end of %d bytes", len(data))
			}
			if uint64(ordinal) == uint64(from)+uint64(len(all)) {
				all = append(all, v)
			}
		}
	}
	if len(all) != int(to-from) {
		return nil, corrupt(PartLengths, "lengths of %d documents instead of %d", len(all), to-from)
	}
	return all, nil
}
