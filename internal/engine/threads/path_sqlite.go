package threads

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/message"
)

// runsByKey begins a statement with the runs of a path, the last one first. A run is two seeks in
// messages_parent_idx alone.
func (p path) runsByKey() *query.Query {
	// COALESCE begins the first run at 1, since its first message need have no parent_seq.
	turn := func(q *query.Query, end string) {
		starts := " FROM " + p.sc.Tables.Messages + " s" + p.sc.Through(parentIndex) + " WHERE s.conversation_id = ? AND s.user_id = ? AND s.parent_seq IS NOT NULL AND s.seq <= " + end
		q.Add("COALESCE((SELECT max(s.seq)"+starts+"), 1), "+end+", (SELECT s.parent_seq"+starts+" ORDER BY s.seq DESC LIMIT 1)",
			p.conversation, p.sc.User, p.conversation, p.sc.User)
	}
	q := query.New("WITH RECURSIVE run (begin_seq, end_seq, next_seq) AS (SELECT ")
	turn(q, "h.head")
	q.Add(" FROM ").Bracketed(p.end).Add(" h UNION ALL SELECT ")
	turn(q, "run.next_seq")
	return q.Add(" FROM run WHERE run.next_seq > 0)")
}

// rowsByKey is rows. A sort would take whole rows; seqs that are in a list come in their order.
func (p path) rowsByKey(columns string) *query.Query {
	return p.runsByKey().Add(" SELECT "+columns+" FROM "+p.sc.Tables.Messages+" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq IN"+
		" (SELECT k.seq FROM run CROSS JOIN "+p.sc.Tables.Messages+
		" k WHERE k.conversation_id = ? AND k.user_id = ? AND k.seq BETWEEN run.begin_seq AND run.end_seq)",
		p.conversation, p.sc.User, p.conversation, p.sc.User)
}

// A step of a recursion takes SQLite longer than many rows of an index, and a statement is no round
// trip. So the runs of a page are found here, by one pass over the beginnings of runs, and a second
// statement reads them.

// span is the part of a run that a page reads.
type span struct{ first, last int64 }

func (s span) len() int64 { return s.last - s.first + 1 }

// spare is how many seqs more than messages a page looks at, since some messages may be deleted.
const spare = 4

// readSpans reads a page, in two statements if the first few messages of it are all that it needs.
func (p path) readSpans(db query.Conn, page pathPage) ([]*message.Message, bool, error) {
	if page.everyLive() {
		found, err := p.readUnsorted(db, page)
		if err != nil || found != nil {
			return found, false, err
		}
	}
	return page.read(db, page.limited(page.matching(p.rows(record.MessageColumns), p.sc).Add(" ORDER BY seq"+page.direction())))
}

// readUnsorted reads a page and sorts it here: SQLite would write all of each message into a sorter
// and read it again. It returns nil where that does not settle what the page has: it is empty,
// perhaps because the path got another end between the statements, it has more bytes than a page
// takes, or the path has more than was looked at.
func (p path) readUnsorted(db query.Conn, page pathPage) ([]*message.Message, error) {
	enough := int64(math.MaxInt64)
	if page.limit > 0 {
		enough = int64(page.limit) + spare
	}
	spans, head, err := p.spans(db, page, enough)
	if err != nil || len(spans) == 0 {
		return nil, err
	}
	found, more, err := page.read(db, p.inSpans(spans, head, page))
	if err != nil || more || len(found) == 0 {
		return nil, err
	}
	slices.SortFunc(found, func(a, b *message.Message) int {
		if page.backwards {
			a, b = b, a
		}
		return cmp.Compare(a.Seq, b.Seq)
	})
	for _, s := range spans {
		enough -= s.len()
	}
	switch {
	case page.limit > 0 && len(found) >= page.limit:
		return found[:page.limit], nil
	case enough > 0:
		return found, nil
	}
	return nil, nil
}

// spans returns what a path has of the seqs of a page, in the order of the page, until they are
// enough, and the end of the path.
func (p path) spans(db query.Conn, page pathPage, enough int64) (spans []span, head int64, err error) {
	low, high := page.bounds()
	// One row is read faster than many.
	q := query.New("SELECT h.head, (SELECT group_concat(n.turn, '') FROM (SELECT s.seq || ' ' || s.parent_seq || ' ' AS turn FROM "+p.sc.Tables.Messages+
		" s"+p.sc.Through(parentIndex)+" WHERE s.conversation_id = ? AND s.user_id = ? AND s.parent_seq IS NOT NULL AND s.seq <= h.head ORDER BY s.seq DESC) n) FROM ", p.conversation, p.sc.User).
		Bracketed(p.end).Add(" h")
	var turns record.Text
	found, err := q.Row(db, &head, &turns)
	if err != nil || !found {
		return nil, 0, err
	}
	end, has := head, int64(0)
	add := func(first, last int64) {
		if s := (span{max(first, low), min(last, high)}); s.len() > 0 {
			spans, has = append(spans, s), has+s.len()
		}
	}
	for len(turns) > 0 && end >= low && (!page.backwards || has < enough) {
		var seq, parent int64
		if seq, turns, err = cutNumber(turns); err == nil {
			parent, turns, err = cutNumber(turns)
		}
		if err != nil {
			return nil, 0, err
		}
		if seq <= end { // else it is a turn of another path
			add(seq, end)
			end = parent
		}
	}
	if len(turns) == 0 {
		add(1, end) // the first message of all need have no parent_seq
	}
	if !page.backwards {
		slices.Reverse(spans)
	}
	return cutSpans(spans, enough, page.backwards), head, nil
}

// cutNumber returns the number that a list begins with, and the rest of the list.
func cutNumber(list record.Text) (int64, record.Text, error) {
	number, rest, _ := strings.Cut(string(list), " ")
	n, err := strconv.ParseInt(number, 10, 64)
	return n, record.Text(rest), err
}

// cutSpans cuts off what comes after enough seqs.
func cutSpans(spans []span, enough int64, backwards bool) []span {
	for i := range spans {
		s := &spans[i]
		over := s.len() - enough
		if enough -= s.len(); enough > 0 {
			continue
		}
		if backwards {
			s.first += over
		} else {
			s.last -= over
		}
		return spans[:i+1]
	}
	return spans
}

// inSpans selects the messages of a page in spans of a path, if it still ends with head.
func (p path) inSpans(spans []span, head int64, page pathPage) *query.Query {
	ends := []byte{'{'}
	for i, s := range spans {
		if i > 0 {
			ends = append(ends, ',')
		}
		ends = fmt.Appendf(ends, `"%d":%d`, s.first, s.last)
	}
	q := query.New("SELECT "+query.Qualified("m.", record.MessageColumns)+" FROM json_each(?) run CROSS JOIN "+p.sc.Tables.Messages+
		" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq BETWEEN CAST(run.key AS integer) AND run.value AND ? = ",
		string(append(ends, '}')), p.conversation, p.sc.User, head).Bracketed(p.end)
	return page.matching(q, p.sc)
}

// everyLive tells whether a page has every live message between its bounds: the filter has nothing
// else.
func (g pathPage) everyLive() bool {
	f := g.filter
	f.AfterSeq, f.BeforeSeq, f.Branches, f.Order = 0, 0, 0, 0
	return reflect.ValueOf(f).IsZero()
}
