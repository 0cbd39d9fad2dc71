package bench

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// handFinderSQLite has a pool of readers, and its statements prepared as they come.
type handFinderSQLite struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
}

var _ handFinder = handFinderSQLite{}

func openHandFinderSQLite(_ context.Context, path string) (handFinder, error) {
	db, err := sql.Open("sqlite", sqliteDSN(path)+"&_pragma=query_only(1)")
	return handFinderSQLite{db, map[string]*sql.Stmt{}}, err
}

func (h handFinderSQLite) close() {
	_ = h.db.Close() // It only reads.
}

func (h handFinderSQLite) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	if s := h.stmts[text]; s != nil {
		return s, nil
	}
	s, err := h.db.PrepareContext(ctx, text)
	h.stmts[text] = s
	return s, err
}

func (h handFinderSQLite) hits(ctx context.Context, text string, args ...any) ([]*hit, error) {
	s, err := h.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	return query(ctx, s, textLimit+1, scanHit, args...)
}

// exact streams the vectors of the scope: the usual way without an extension. They have
// length 1, so that the product is the cosine.
func (h handFinderSQLite) exact(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error) {
	nearest, err := h.stream(ctx, user, v)
	if err != nil {
		return nil, err
	}
	// A few of the nearest may be deleted.
	ids := make([]int64, len(nearest))
	scores := make(map[uuid.UUID]float64, len(nearest))
	for i, n := range nearest {
		ids[i] = n.row
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	hits, err := h.hits(ctx, `SELECT `+hitColumns+`, e.row_id FROM json_each(?1) j CROSS JOIN message_embeddings e ON e.row_id = j.value
		JOIN messages m ON m.id = e.message_id AND m.user_id = e.user_id`+joinConversations+` WHERE `+liveRows, string(list))
	for _, hit := range hits {
		at := slices.IndexFunc(nearest, func(n streamed) bool { return n.row == int64(hit.score) })
		hit.score = float64(nearest[at].similarity)
		scores[hit.ID] = hit.score
	}
	slices.SortFunc(hits, func(a, b *hit) int { return cmp.Compare(b.score, a.score) })
	return hits[:min(similarLimit, len(hits))], err
}

type streamed struct {
	row        int64
	similarity float32
}

func (h handFinderSQLite) stream(ctx context.Context, user uuid.UUID, v []float32) ([]streamed, error) {
	const most = 2 * similarLimit
	mine, args := of(user, " AND user_id = ?2", searchModel)
	s, err := h.stmt(ctx, `SELECT row_id, embedding FROM message_embeddings WHERE model = ?1`+mine) //nolint:sqlclosecheck // closed with the pool
	if err != nil {
		return nil, err
	}
	rs, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	var nearest []streamed
	for rs.Next() {
		var (
			at   streamed
			blob sql.RawBytes
		)
		if err := rs.Scan(&at.row, &blob); err != nil {
			return nil, err
		}
		at.similarity = dotBytes(v, blob)
		if len(nearest) == most && nearest[most-1].similarity >= at.similarity {
			continue
		}
		i, _ := slices.BinarySearchFunc(nearest, at, func(a, b streamed) int { return cmp.Compare(b.similarity, a.similarity) })
		nearest = slices.Insert(nearest, i, at)
		nearest = nearest[:min(most, len(nearest))]
	}
	return nearest, rs.Err()
}

// dotBytes is dot with a vector as it stands in the table.
func dotBytes(a []float32, b []byte) float32 {
	var s [8]float32
	for ; len(a) >= 8; a, b = a[8:], b[32:] {
		x, y := a[:8:8], b[:32:32]
		s[0] += x[0] * math.Float32frombits(binary.LittleEndian.Uint32(y[0:]))
		s[1] += x[1] * math.Float32frombits(binary.LittleEndian.Uint32(y[4:]))
		s[2] += x[2] * math.Float32frombits(binary.LittleEndian.Uint32(y[8:]))
		s[3] += x[3] * math.Float32frombits(binary.LittleEndian.Uint32(y[12:]))
		s[4] += x[4] * math.Float32frombits(binary.LittleEndian.Uint32(y[16:]))
		s[5] += x[5] * math.Float32frombits(binary.LittleEndian.Uint32(y[20:]))
		s[6] += x[6] * math.Float32frombits(binary.LittleEndian.Uint32(y[24:]))
		s[7] += x[7] * math.Float32frombits(binary.LittleEndian.Uint32(y[28:]))
	}
	sum := (s[0] + s[1]) + (s[2] + s[3]) + (s[4] + s[5]) + (s[6] + s[7])
	for i, x := range a {
		sum += x * math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return sum
}

// indexed is exact: SQLite has no index for vectors.
func (h handFinderSQLite) indexed(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error) {
	return h.exact(ctx, user, v)
}

// handWordsSQLite is a table of FTS5 without the texts, which messages have, and with a word for
// the user in a column of its own.
var (
	handWordsSQLite = []string{`CREATE VIRTUAL TABLE hand_words USING fts5(content, scope, content='', tokenize='unicode61')`}
	handIndexSQLite = []string{`INSERT INTO hand_words (rowid, content, scope)
		SELECT row_id, content, 'u' || replace(user_id, '-', '') FROM messages WHERE deleted_at IS NULL ORDER BY row_id`}
)

func (h handFinderSQLite) find(ctx context.Context, user uuid.UUID, a ask) ([]*hit, error) {
	const newest = ` ORDER BY m.created_at DESC, m.id DESC LIMIT ?2`
	if a.kind == substring {
		mine, args := of(user, " AND m.user_id = ?3", "%"+a.words[0]+"%", textLimit+1)
		return h.hits(ctx, `SELECT `+hitColumns+`, 0.0 FROM messages m`+joinConversations+` WHERE `+liveRows+` AND m.content LIKE ?1`+mine+newest, args...)
	}
	match := "content:" + a.fts5()
	if user != uuid.Nil {
		match += ` AND scope:"u` + strings.ReplaceAll(user.String(), "-", "") + `"`
	}
	const join = ` JOIN messages m ON m.row_id = f.rowid` + joinConversations + ` WHERE ` + liveRows
	if a.order == store.Newest {
		return h.hits(ctx, `SELECT `+hitColumns+`, 0.0 FROM hand_words f`+join+` AND hand_words MATCH ?1`+newest, match, textLimit+1)
	}
	return h.hits(ctx, `SELECT `+hitColumns+`, f.score FROM (
			SELECT rowid, -bm25(hand_words, 1.0, 0.0) AS score FROM hand_words WHERE hand_words MATCH ?1 ORDER BY score DESC LIMIT 100) f`+join+`
		ORDER BY f.score DESC, m.created_at DESC, m.id DESC LIMIT ?2`, match, textLimit+1)
}
