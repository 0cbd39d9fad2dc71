package textindex

import (
	"bytes"
	"database/sql"
	"slices"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// View is the index as it was at one moment, for one scope.
type View struct {
	// Noted are the texts of the scope that no segment has.
	Noted []segment.Document
	// Parts are the segments with documents of the scope.
	Parts []*Part

	db query.Conn
	*access
	gone []segment.Key
}

// access is how to reach the index of a scope.
type access struct {
	sc      scope.Scope
	backend backend
	t       tables
}

func accessOf(sc scope.Scope) (*access, error) {
	b, err := backendOf(sc.Store)
	return &access{sc: sc, backend: b, t: tablesOf(sc.Store)}, err
}

// Part is a segment, and what a scope has of it.
type Part struct {
	segment.Header
	// From and To are the ordinals of the scope's documents, To excluded.
	From, To uint32
	// Void are the documents that must not be found.
	Void segment.Dead

	id int64
	// tokenizer is the version of package words that cut the texts, and made says by which
	// stemmers they have stems. current says that both are those of the store.
	tokenizer int64
	made      string
	current   bool
}

// Read reads the index, all of it in one statement and so as of one moment. Without an index
// the view has the texts of all rows of the scope.
func Read(db query.Conn, sc scope.Scope) (*View, error) {
	a, err := accessOf(sc)
	if err != nil {
		return nil, err
	}
	f, err := sc.SchemaFeatures(query.On(db.Ctx, sc.Reader))
	if err != nil {
		return nil, err
	}
	v := &View{db: db, access: a}
	if !f.FullText {
		err = v.readAll()
		return v, err
	}
	if err = v.read(); err == nil {
		err = v.locate()
	}
	return v, err
}

// readAll reads every text of the scope.
func (v *View) readAll() (err error) {
	q := query.New("SELECT " + v.t.messageTexts() + " FROM " + v.t.messages + " m WHERE " + Indexable)
	v.sc.Owned(q, "m.").Add(" UNION ALL SELECT " + titleTexts + " FROM " + v.t.conversations + " c WHERE 1 = 1")
	v.Noted, err = v.readTexts(v.sc.Owned(q, "c."))
	return err
}

// The kinds of rows of the one statement.
const (
	isText = iota
	isGone
	isSegment
)

// The columns of a row that is no text, and of one that is no segment.
const (
	noText    = ", NULL, NULL, NULL, NULL, NULL, NULL"
	noSegment = ", NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
)

const segmentColumns = "s.id, s.documents, s.length, s.since_at, s.until_at, s.bytes, s.tokenizer, s.dead, s.stems"

func (v *View) query() *query.Query {
	const number = ", CAST(NULL AS bigint)"
	q := query.New("SELECT 0, " + v.t.messageTexts() + number + number + number + number + number + number + number +
		", CAST(NULL AS " + v.backend.bytes() + "), CAST(NULL AS text) FROM " + v.backend.notedMessages(v.t) + " AND " + Indexable)
	v.backend.ownNotes(v.sc, v.sc.Owned(q, "m."))
	q.Add(" UNION ALL SELECT 0, " + titleTexts + noSegment + " FROM " + v.backend.notedTitles(v.t))
	v.backend.ownNotes(v.sc, v.sc.Owned(q, "c."))
	q.Add(" UNION ALL SELECT 1, g.user_id, g.thread_id, g.id, g.kind" + noText + noSegment + " FROM " + v.t.gone + " g WHERE 1 = 1")
	return v.sc.Owned(q, "g.").
		Add(" UNION ALL SELECT 2, NULL, NULL, NULL, NULL" + noText + ", " + segmentColumns + " FROM " + v.t.segments + " s")
}

// segmentRow is a row of segmentColumns.
type segmentRow struct {
	id, documents, length, since, until, bytes, tokenizer record.Number
	dead                                                  []byte
	stems                                                 record.Text
}

func (r *segmentRow) dest() []any {
	return []any{&r.id, &r.documents, &r.length, &r.since, &r.until, &r.bytes, &r.tokenizer, &r.dead, &r.stems}
}

// isCurrent tells whether a segment is as a store with these languages would make it.
func isCurrent(tokenizer record.Number, stems record.Text, languages *words.Languages) bool {
	return tokenizer == words.Version && languages.Agree(string(stems))
}

func (r *segmentRow) part(languages *words.Languages) (*Part, error) {
	dead, err := segment.ParseDead(r.dead)
	return &Part{
		Header: segment.Header{Documents: int(r.documents), Length: int64(r.length), Since: int64(r.since), Until: int64(r.until), Bytes: int64(r.bytes)},
		To:     uint32(r.documents), Void: dead, id: int64(r.id), tokenizer: int64(r.tokenizer),
		made: string(r.stems), current: isCurrent(r.tokenizer, r.stems, languages),
	}, err
}

func (v *View) read() error {
	begin := func() { v.Noted, v.gone, v.Parts = nil, nil, nil }
	return v.query().Read(v.db, begin, func(rows *sql.Rows) error {
		var what int
		var text textRow
		var of segmentRow
		if err := rows.Scan(append(append([]any{&what}, text.dest()...), of.dest()...)...); err != nil {
			return err
		}
		if text.wrong {
			return nil
		}
		switch what {
		case isText:
			v.Noted = append(v.Noted, text.document(v.sc.Languages))
		case isGone:
			v.gone = append(v.gone, text.key())
		default:
			p, err := of.part(v.sc.Languages)
			v.Parts = append(v.Parts, p)
			return err
		}
		return nil
	})
}

// locate finds where the documents of the scope are in each segment, leaves out segments
// without any, and adds the void documents.
func (v *View) locate() error {
	slices.SortFunc(v.Parts, func(a, b *Part) int { return int(a.id - b.id) })
	if !v.sc.All {
		low := segment.Key{User: v.sc.User}
		if err := v.narrow(low.Bytes(), after(v.sc.User[:])); err != nil {
			return err
		}
	}
	return v.voidGone()
}

// narrow restricts the view to the documents with keys from low to before high.
func (v *View) narrow(low, high []byte) error {
	bounds, err := v.ordinals(v.Parts, [][]byte{low, high})
	if err != nil {
		return err
	}
	for i, p := range v.Parts {
		p.From, p.To = max(p.From, bounds[i][0].at), min(p.To, bounds[i][1].at)
	}
	v.Parts = slices.DeleteFunc(v.Parts, func(p *Part) bool { return p.From >= p.To })
	v.Noted = slices.DeleteFunc(v.Noted, func(d segment.Document) bool {
		key := d.Key.Bytes()
		return bytes.Compare(key, low) < 0 || bytes.Compare(key, high) >= 0
	})
	return nil
}

// voidGone adds the documents that are gone to the void ones of each segment.
func (v *View) voidGone() error {
	if len(v.gone) == 0 {
		return nil
	}
	places, err := v.find(v.Parts, v.gone)
	for i, ordinals := range places {
		v.Parts[i].Void = v.Parts[i].Void.With(ordinals)
	}
	return err
}

// after returns the least key that is above all that begin with prefix.
func after(prefix []byte) []byte {
	next := slices.Clone(prefix)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return bytes.Repeat([]byte{0xff}, len(segment.Key{}.Bytes())+1)
}
