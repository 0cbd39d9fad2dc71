package report

import "fmt"

// tile is a figure that is to be seen first.
type tile struct{ Label, Value, Detail string }

// Definitions, where a figure could be misread.
const (
	noteResponse = "a response time begins with the first inbound message of a run and ends with the next outbound one; open ones are in no average"
	noteApproval = "approval: approved as it stood, of all that were drafted; acceptance: approved or edited, of all that were decided"
	noteRate     = "of the conversations begun in the period, the share in which the lead ever wrote; one that the lead began counts as answered"
	noSuggestion = "No suggestion was made."
)

func (f *Figures) tiles() []tile {
	return []tile{
		f.conversationTile(), f.waitingTile(), f.messageTile(), f.responseTile(),
		f.approvalTile(), f.decisionTile(), f.editTile(), f.costTile(),
	}
}

func (f *Figures) conversationTile() tile {
	c := f.summary.Live
	return tile{"New conversations", number(c.Total()), fmt.Sprintf(
		"now %s to be replied to, %s waiting for the other side, %s active, %s archived; %s deleted besides",
		number(c.NeedsReply), number(c.Waiting), number(c.Active), number(c.Archived), number(f.summary.Deleted.Total()),
	)}
}

func (f *Figures) waitingTile() tile {
	t := tile{"Waiting for an answer now", number(int64(len(f.waiting))), "nobody waits"}
	if len(f.waiting) > 0 {
		since := waitingSince(f.waiting[0])
		t.Detail = fmt.Sprintf("the longest for %s, since %s", f.waited(&since), since.In(f.Zone).Format("2 January 2006"))
	}
	return t
}

func (f *Figures) messageTile() tile {
	return tile{"Messages", number(f.messages), fmt.Sprintf("%s in, %s out", number(f.inbound), number(f.outbound))}
}

func (f *Figures) responseTile() tile {
	r := f.response
	t := tile{"Response time, median", took(r.Answered, r.Median), "no question was answered"}
	if r.Answered > 0 {
		t.Detail = fmt.Sprintf("nine of ten within %s; %s", duration(r.P90), many(r.Answered, "answer"))
	}
	if r.Open > 0 {
		t.Detail += fmt.Sprintf(", %s open", number(r.Open))
	}
	return t
}

func (f *Figures) approvalTile() tile {
	t := tile{"Approval rate", percent(f.total.ApprovalRate()), "no suggestion was made"}
	if f.total.Made > 0 {
		t.Detail = fmt.Sprintf("%s of %s approved as drafted", number(f.total.Approved), many(f.total.Made, "suggestion"))
	}
	if rate, ok := f.total.AcceptanceRate(); ok {
		t.Detail += fmt.Sprintf("; %s of the decided were accepted, edited ones too", percent(rate, ok))
	}
	return t
}

func (f *Figures) decisionTile() tile {
	d := f.decisions
	t := tile{"Time to decide, median", took(d.Decided, d.Median), "no suggestion was decided"}
	if d.Decided > 0 {
		t.Detail = fmt.Sprintf("nine of ten suggestions within %s", duration(d.P90))
	}
	if d.Pending > 0 {
		t.Detail += fmt.Sprintf("; %s pending, the oldest for %s", number(d.Pending), f.waited(d.OldestPending))
	}
	return t
}

func (f *Figures) editTile() tile {
	e := f.edits
	t := tile{"Accepted unchanged", percent(e.UnchangedShare()), "no suggestion was accepted"}
	if e.Decided > 0 {
		t.Detail = fmt.Sprintf("of %s accepted", number(e.Decided))
	}
	if e.Median != nil {
		t.Detail += fmt.Sprintf("; of the changed ones half differ by %.0f characters or more", *e.Median)
	}
	return t
}

func (f *Figures) costTile() tile {
	t := tile{"Cost of suggestions", nothing, "no suggestion was made"}
	if f.total.Made > 0 {
		t.Value = money(f.total.Cost, f.places)
		t.Detail = fmt.Sprintf("in your currency; %s tokens in %s", number(f.total.Tokens), many(f.total.Made, "suggestion"))
	}
	return t
}
