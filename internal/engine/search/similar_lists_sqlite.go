package search

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/embeddings"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
)

const (
	// listedUser is the least number of vectors of a user for whom reading lists is faster than
	// reading all codes.
	listedUser = 20_000
	// codesOfDepth is how many codes a search reads for each vector that it compares.
	codesOfDepth = 2
	// moreLists is by how much a search multiplies its lists if they had too few hits.
	moreLists = 4
)

// findInLists searches the lists of a trained model, more and more of them until there are
// enough hits. done is false if the model has no lists any more, or if it would take too many of
// them: then comparing all codes is faster.
func (v sqliteVectors) findInLists(ctx context.Context, s *similarSearch, p *embeddings.Partition, limit int) (found vectorHits, done bool, err error) {
	wide, err := v.isWide(s)
	if err != nil || !wide {
		return found, false, err
	}
	for p != nil {
		found, done, err = v.searchPartition(ctx, s, p, limit)
		if err != nil {
			return found, false, err
		}
		// A partition that was replaced meanwhile may have lost lists before they were read.
		searched := p.ID
		if p, err = embeddings.ServingPartition(s.sc, s.db, s.options.Model); err != nil || p != nil && p.ID == searched {
			return found, done, err
		}
	}
	return vectorHits{}, false, nil
}

func (v sqliteVectors) searchPartition(ctx context.Context, s *similarSearch, p *embeddings.Partition, limit int) (found vectorHits, done bool, err error) {
	ranked, code := p.Ranked(s.vector), vector.Code(s.vector)
	depth := s.depth(p, limit)
	for probes := p.Probes; probes <= p.Len()/2; probes *= moreLists {
		if err := ctx.Err(); err != nil {
			return found, false, err
		}
		codes := embeddings.NewRanked(len(s.vector))
		read, err := v.readLists(s, p, ranked, probes, codes, code, s.wantedCodes(p, depth))
		if err != nil {
			return found, false, err
		}
		if read == len(ranked) {
			break
		}
		found, enough, err := v.compareRanked(s, codes, depth, limit, false)
		if err != nil || enough || s.options.Mode == store.SearchApproximate {
			return found, err == nil, err
		}
		probes = max(probes, read)
	}
	return found, false, nil
}

// readLists reads the codes of the first lists, and of further ones while there are fewer codes
// than wanted. It returns how many lists it read.
func (v sqliteVectors) readLists(
	s *similarSearch, p *embeddings.Partition, ranked []int, probes int, codes *embeddings.Ranked, code []uint64, wanted int,
) (read int, err error) {
	for next := probes + 1; read < len(ranked); next = max(1, read/2) { // one for those without a list
		part := ranked[read:min(len(ranked), read+next)]
		if err := p.ReadCodes(s.sc, s.db, part, code, codes); err != nil {
			return read, err
		}
		if read += len(part); codes.Len() >= wanted {
			return read, nil
		}
	}
	return read, nil
}

// wantedCodes is how many codes a search reads at least. In the scope of a user it is as many as
// a search of all users reads: the nearest of one user's vectors are in more lists.
func (s *similarSearch) wantedCodes(p *embeddings.Partition, depth int) int {
	wanted := codesOfDepth * depth
	if s.sc.User != uuid.Nil {
		wanted = max(wanted, int(p.Vectors)*p.Probes/p.Len())
	}
	return wanted
}

// isWide tells whether the scope has so many vectors that the lists are worth it.
func (v sqliteVectors) isWide(s *similarSearch) (bool, error) {
	if s.sc.All {
		return true, nil
	}
	q := query.New("SELECT 1 FROM "+s.sc.Tables.Embeddings+" WHERE model = ?", s.options.Model)
	return s.sc.Owned(q, "").Add(" LIMIT 1 OFFSET ?", listedUser).Row(s.db, new(int))
}
