package check

import "github.com/convostore/convostore/rule"

// MaxBytes is the most that the texts and documents of a row take together, unless a store was
// opened with another bound.
const MaxBytes = 16 << 20

// Size refuses a row whose texts and documents take more than limit bytes.
func Size(row string, bytes, limit int) error {
	if bytes > limit {
		return rule.Invalid(row, "has %d bytes of text and documents, the most is %d; see convostore.WithMaxMessageBytes", bytes, limit)
	}
	return nil
}

// Sum returns the lengths of texts together.
func Sum(texts ...string) (n int) {
	for _, s := range texts {
		n += len(s)
	}
	return n
}

// SumWritten returns the lengths of documents together, as Written has them.
func SumWritten[D ~[]byte](docs ...D) (n int) {
	for _, d := range docs {
		n += Written(d)
	}
	return n
}
