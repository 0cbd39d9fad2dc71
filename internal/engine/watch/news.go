package watch

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/convostore/convostore/message"
)

// Since is a place in a conversation: its last seq and its last change_seq.
type Since struct {
	Key
	Seq, Change int64
}

// ReadNews returns the messages that were appended or changed after the places, by seq, as one
// statement found them together. whole says that none was left out for the bytes that they take.
type ReadNews func(ctx context.Context, places []Since, bytes int) (rows map[Key][]*message.Message, whole bool, err error)

// News are the messages of a conversation that were appended or changed after a place. The poller
// reads them once for all tails that stand there or further on. Nobody may change the messages.
type News struct {
	seq, change int64
	rows        []*message.Message
	size        int
}

const (
	// newsRows and newsBytes are how much of a conversation is kept for tails that come later: a
	// tail further behind reads for itself.
	newsRows  = 64
	newsBytes = 64 << 10
	// lookBytes is how much one look reads, keptBytes how much a hub keeps. What is more is read by
	// each tail for itself, and the poller leaves it to them for restNews.
	lookBytes = 2 << 20
	keptBytes = 8 << 20
	restNews  = time.Second
)

// Cover tells whether who has read up to a place finds all that came after it here.
func (n *News) Cover(seq, change int64) bool {
	return n != nil && seq >= n.seq && change >= n.change
}

// Appended returns the messages after a seq, in that order.
func (n *News) Appended(seq int64) []*message.Message {
	first, _ := slices.BinarySearchFunc(n.rows, seq+1, bySeq)
	return n.rows[first:]
}

// Changed returns the messages up to a seq that were changed after a change_seq, in that order.
func (n *News) Changed(seq, change int64) []*message.Message {
	end, _ := slices.BinarySearchFunc(n.rows, seq+1, bySeq)
	var changed []*message.Message
	for _, m := range n.rows[:end] {
		if m.ChangeSeq > change {
			changed = append(changed, m)
		}
	}
	slices.SortFunc(changed, func(a, b *message.Message) int { return cmp.Compare(a.ChangeSeq, b.ChangeSeq) })
	return changed
}

func bySeq(m *message.Message, seq int64) int { return cmp.Compare(m.Seq, seq) }

// after returns the news since old, which may be nil, with the rows since a place that old goes up
// to. Each row that was changed since then is among them, and takes the place of the older one.
func (n *News) after(old *News) *News {
	if old == nil || len(old.rows)+len(n.rows) > newsRows || old.size+n.size > newsBytes {
		return n
	}
	both := &News{seq: old.seq, change: old.change, rows: slices.Clone(n.rows), size: n.size}
	for _, m := range old.rows {
		if _, again := slices.BinarySearchFunc(n.rows, m.Seq, bySeq); !again {
			both.rows = append(both.rows, m)
			both.size += rowSize(m)
		}
	}
	slices.SortFunc(both.rows, func(a, b *message.Message) int { return cmp.Compare(a.Seq, b.Seq) })
	return both
}

// rowSize is about what a message takes in memory.
func rowSize(m *message.Message) int { return 1000 + m.Size() }

func newNews(since Since, rows []*message.Message) *News {
	n := &News{seq: since.Seq, change: since.Change, rows: rows}
	for _, m := range rows {
		n.size += rowSize(m)
	}
	return n
}

// worthNews tells whether the poller reads what is between two states of a topic, and from where.
// The caller holds mu.
func (h *Hub) worthNews(key Key, t *topic, now State) (Since, bool) {
	rows := now.Seq - t.state.Seq + now.Change - t.state.Change
	worth := h.news != nil && t.known && !t.state.Gone && !now.Gone && now.Seq >= t.state.Seq && now.Change >= t.state.Change &&
		rows > 0 && rows <= newsRows && h.kept < keptBytes && time.Now().After(h.newsFrom)
	return Since{key, t.state.Seq, t.state.Change}, worth
}

// readNews reads what came after places. Without an answer each tail reads for itself.
func (h *Hub) readNews(ctx context.Context, places []Since) map[Key][]*message.Message {
	if len(places) == 0 {
		return nil
	}
	bounded, done := context.WithTimeout(ctx, patience)
	defer done()
	rows, whole, err := h.news(bounded, places, lookBytes)
	if err != nil || !whole {
		h.mu.Lock()
		h.newsFrom = time.Now().Add(restNews)
		h.mu.Unlock()
		return nil
	}
	return rows
}

// handNews wakes the tails of conversations with what came there. rows is nil if it is not known.
func (h *Hub) handNews(r *run, places []Since, states map[Key]State, rows map[Key][]*message.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.run != r {
		return
	}
	for _, since := range places {
		t := h.topics[since.Key]
		if t == nil {
			continue
		}
		var news *News
		if rows != nil && t.known && t.state.Seq == since.Seq && t.state.Change == since.Change {
			news = newNews(since, rows[since.Key]).after(t.news)
		}
		h.keep(t, news)
		t.state, t.known = states[since.Key], true
		t.announce()
	}
}

// keep sets the news of a topic, or none beyond what a hub keeps. The caller holds mu.
func (h *Hub) keep(t *topic, news *News) {
	if t.news != nil {
		h.kept -= t.news.size
	}
	if t.idle, t.news = 0, nil; news != nil && h.kept+news.size <= keptBytes {
		t.news = news
		h.kept += news.size
	}
}

// rest forgets the news of a topic that has not changed for two intervals. The caller holds mu.
func (h *Hub) rest(t *topic) {
	if t.idle++; t.news != nil && t.idle > 1 {
		h.keep(t, nil)
	}
}
