// Package textindex keeps the index of words in the database and reads it. The databases only
// keep what package segment makes of the texts.
//
// A trigger notes each row whose text is new, whoever wrote it, and each document of which a
// segment now has a void text. A search reads the segments without those documents, and the
// texts of the noted rows: it finds a message the moment the append commits. From time to time
// the noted texts are packed into a segment, and small segments are merged into larger ones.
package textindex

import (
	"errors"
	"fmt"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/store"
)

// Damaged makes store.ErrSearchIndex of bytes that the library has not written.
func Damaged(err error) error {
	var corrupt *segment.CorruptError
	if errors.As(err, &corrupt) {
		return fmt.Errorf("%w: %w", store.ErrSearchIndex, err)
	}
	return err
}

// tables are the quoted names of the tables of the index and of those with the texts.
type tables struct {
	notes, gone, segments, blocks, messages, conversations string
	// languages says that the store asks in which language a text is.
	languages bool
}

func tablesOf(s *scope.Store) tables {
	return tables{
		notes: s.Tables.SearchNotes, gone: s.Tables.SearchGone, segments: s.Tables.SearchSegments, blocks: s.Tables.SearchBlocks,
		messages: s.Tables.Messages, conversations: s.Tables.Conversations,
		languages: s.Languages != nil,
	}
}
