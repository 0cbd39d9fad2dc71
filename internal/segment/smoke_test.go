package segment

import (
	"fmt"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/words"
)

func TestSmoke(t *testing.T) {
	var b Builder
	for i := range 300 {
		b.Add(Document{Key: Key{User: uuid.UUID{1}, Thread: uuid.UUID{byte(i % 7)}, Kind: Message, ID: uuid.UUID{byte(i), byte(i >> 8)}}, At: int64(i), Texts: []Text{{Content, fmt.Sprint("the quick brown fox ", i%20, " jumps the fence")}}})
	}
	h, blocks, err := b.Build()
	require.NoError(t, err)
	fmt.Println(h, len(blocks))
	p := NewPlan(words.Parse(`"the quick" 7 fen*`), []Field{Content})
	in := Input{Documents: h.Documents, To: uint32(h.Documents)}
	for range p.Ranges() {
		in.Terms = append(in.Terms, part(blocks, PartTerms))
		in.Positions = append(in.Positions, part(blocks, PartPlaces))
	}
	in.Lengths = part(blocks, PartLengths)
	s, err := p.Segment(in)
	require.NoError(t, err)
	m := p.Rank([]*Source{s})
	fmt.Println(len(m), Top(m, 3))
}

func part(blocks []Block, p Part) (of []Block) {
	for _, b := range blocks {
		if b.Part == p {
			of = append(of, b)
		}
	}
	return of
}
