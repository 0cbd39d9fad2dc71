package textindex

import (
	"slices"

	"github.com/convostore/convostore/internal/segment"
)

// noted are the texts of a view that no segment has. They are searched while they are read, some
// after the other, and dropped then: after an import past the store they may be all texts there
// are.
type noted struct {
	// found is what each of the plans has in each piece.
	plans []*segment.Plan
	found [][]*segment.Source
	// documents are those of all pieces, without their texts.
	documents []segment.Info
	starts    []int // of the pieces
	bytes     int   // of all texts

	piece []segment.Document
	size  int // of the piece, in bytes
}

// A piece has at least one text, and about this much otherwise.
const (
	pieceBytes     = 4 << 20
	pieceDocuments = 4096
)

func (n *noted) reset() { *n = noted{plans: n.plans, found: make([][]*segment.Source, len(n.plans))} }

func (n *noted) add(r *textRow) {
	n.piece, n.size = append(n.piece, r.document()), n.size+r.size()
	if n.size >= pieceBytes || len(n.piece) == pieceDocuments {
		n.search()
	}
}

// search searches the piece.
func (n *noted) search() {
	if len(n.piece) == 0 {
		return
	}
	n.starts = append(n.starts, len(n.documents))
	for i, d := range n.piece {
		n.documents = append(n.documents, segment.Info{Key: d.Key, At: d.At, Ordinal: uint32(i)})
	}
	for i, plan := range n.plans {
		n.found[i] = append(n.found[i], plan.Texts(n.piece))
	}
	n.bytes += n.size
	clear(n.piece)
	n.piece, n.size = n.piece[:0], 0
}

// sources is what a plan of the view has in the pieces.
func (n *noted) sources(plan *segment.Plan) []*segment.Source {
	return n.found[slices.Index(n.plans, plan)]
}

// info returns a document of a piece.
func (n *noted) info(piece int, document uint32) segment.Info {
	return n.documents[n.starts[piece]+int(document)]
}
