package threads

import "github.com/convostore/convostore/internal/engine/query"

// runsLaterally begins a statement with the runs of a path, the last one first. Each is one seek,
// whose row has both the seq that the run begins with and the parent.
func (p path) runsLaterally() *query.Query {
	q := query.New("WITH RECURSIVE run (begin_seq, end_seq, next_seq) AS (SELECT COALESCE(s.seq, 1), h.head, s.parent_seq FROM ").
		Bracketed(p.end).Add(" h")
	turn := func(end string) {
		q.Add(" LEFT JOIN LATERAL (SELECT s.seq, s.parent_seq FROM "+p.sc.Tables.Messages+
			" s WHERE s.conversation_id = ? AND s.user_id = ? AND s.parent_seq IS NOT NULL AND s.seq <= "+end+
			" ORDER BY s.seq DESC LIMIT 1) s ON TRUE", p.conversation, p.sc.User)
	}
	turn("h.head")
	q.Add(" UNION ALL SELECT COALESCE(s.seq, 1), run.next_seq, s.parent_seq FROM run")
	turn("run.next_seq")
	return q.Add(" WHERE run.next_seq > 0)")
}

// rowsLaterally is rows. Joined by seq, the planner would rather compare each message of the
// conversation with each run. With OFFSET, a subquery stays what it is: a seek for each run.
func (p path) rowsLaterally(columns string) *query.Query {
	return p.runsLaterally().Add(" SELECT "+columns+" FROM run CROSS JOIN LATERAL (SELECT * FROM "+p.sc.Tables.Messages+
		" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq BETWEEN run.begin_seq AND run.end_seq OFFSET 0) m WHERE TRUE",
		p.conversation, p.sc.User)
}

// pageLaterally selects columns of what a page has, in its order. The runs are sorted and so are the
// messages of each, and a lateral subquery is only ever joined row by row, so that the page is
// read as it stands: sorting whole messages would take as long as a third of the read.
func (p path) pageLaterally(columns string, page pathPage) *query.Query {
	q := p.runsLaterally().Add(" SELECT "+columns+" FROM (SELECT begin_seq, end_seq FROM run ORDER BY begin_seq"+page.direction()+
		" OFFSET 0) run CROSS JOIN LATERAL (SELECT * FROM "+p.sc.Tables.Messages+
		" m WHERE m.conversation_id = ? AND m.user_id = ? AND m.seq BETWEEN run.begin_seq AND run.end_seq", p.conversation, p.sc.User)
	page.limited(page.matching(q, p.sc).Add(" ORDER BY m.seq" + page.direction()))
	return page.limited(q.Add(") m ORDER BY run.begin_seq" + page.direction()))
}
