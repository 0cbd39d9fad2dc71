package engine_test

import (
	"database/sql"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/store"
)

// indexRows is the index of words as its tables have it, at one moment.
type indexRows struct {
	// texts are the documents that are to be found, seen how often segments have each of them
	// without one that says that it is void, and noted those that are read from their rows.
	texts, noted map[segment.Key]bool
	seen         map[segment.Key]int
	// kept are the documents of all segments, void ones too.
	kept map[segment.Key]bool
}

// checkIndex fails unless each text that is to be found is either in one segment or noted, and
// nothing else is.
func checkIndex(t *testing.T, st store.Store) *indexRows {
	t.Helper()
	rows := readIndex(t, st)
	for key := range rows.texts {
		n := rows.seen[key]
		if rows.noted[key] {
			n++
		}
		require.Equal(t, 1, n, "times that %v is in the index, noted %t", key, rows.noted[key])
	}
	for key := range rows.seen {
		require.True(t, rows.texts[key], "%v is in a segment and no text", key)
	}
	return rows
}

func readIndex(t *testing.T, st store.Store) *indexRows {
	t.Helper()
	rows := &indexRows{texts: map[segment.Key]bool{}, noted: map[segment.Key]bool{}, seen: map[segment.Key]int{}, kept: map[segment.Key]bool{}}
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	if st.DB(t.Context()).Name() == "sqlite" {
		options = nil // every transaction is a snapshot
	}
	require.NoError(t, st.DB(t.Context()).Transaction(func(tx *gorm.DB) error {
		live := "deleted_at IS NULL AND state <> 'streaming'"
		titled := "(coalesce(title, '') <> '' OR coalesce(subject, '') <> '')"
		notedMessage, notedTitle := "(user_id, id, 1) IN (SELECT user_id, id, kind FROM search_notes)", "(user_id, id, 0) IN (SELECT user_id, id, kind FROM search_notes)"
		if options == nil {
			notedMessage, notedTitle = "row_id IN (SELECT ref FROM search_notes)", "-row_id IN (SELECT ref FROM search_notes)"
		}
		messages, titles := "SELECT user_id, conversation_id AS thread, id, 1 AS kind FROM messages WHERE ", "SELECT user_id, id AS thread, id, 0 AS kind FROM conversations WHERE "
		rows.texts = documentKeys(t, tx, messages+live+" UNION ALL "+titles+titled)
		rows.noted = documentKeys(t, tx, messages+live+" AND "+notedMessage+" UNION ALL "+titles+titled+" AND "+notedTitle)
		rows.readSegments(t, tx, documentKeys(t, tx, "SELECT user_id, thread_id AS thread, id, kind FROM search_gone"))
		return nil
	}, options))
	return rows
}

func documentKeys(t *testing.T, tx *gorm.DB, query string) map[segment.Key]bool {
	t.Helper()
	var rows []struct {
		UserID, Thread, ID uuid.UUID
		Kind               uint8
	}
	require.NoError(t, tx.Raw(query).Scan(&rows).Error)
	keys := map[segment.Key]bool{}
	for _, r := range rows {
		keys[segment.Key{User: r.UserID, Thread: r.Thread, ID: r.ID, Kind: segment.Kind(r.Kind)}] = true
	}
	return keys
}

func (r *indexRows) readSegments(t *testing.T, tx *gorm.DB, gone map[segment.Key]bool) {
	t.Helper()
	var segments []struct {
		ID        int64
		Documents int
		Dead      []byte
	}
	require.NoError(t, tx.Raw("SELECT id, documents, dead FROM search_segments").Scan(&segments).Error)
	for _, s := range segments {
		dead, err := segment.ParseDead(s.Dead)
		require.NoError(t, err)
		var blocks []struct{ Key, Data []byte }
		require.NoError(t, tx.Raw("SELECT key, data FROM search_blocks WHERE segment_id = ? AND part = 2 ORDER BY key", s.ID).Scan(&blocks).Error)
		n := 0
		for _, b := range blocks {
			infos, err := segment.Documents(segment.Block{Part: segment.PartDocuments, Key: b.Key, Data: b.Data})
			require.NoError(t, err)
			for _, info := range infos {
				n++
				r.kept[info.Key] = true
				if !dead.Has(info.Ordinal) && !gone[info.Key] {
					r.seen[info.Key]++
				}
			}
		}
		require.Equal(t, s.Documents, n, "documents of a segment")
	}
	var orphans int64
	require.NoError(t, tx.Raw("SELECT count(*) FROM search_blocks WHERE segment_id NOT IN (SELECT id FROM search_segments)").Scan(&orphans).Error)
	require.Zero(t, orphans, "blocks without a segment")
}
