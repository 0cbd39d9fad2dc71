package watch

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
)

// history is a conversation in memory.
type history struct {
	seq, change int64
	rows        map[int64]message.Message
}

// step appends or changes a message at random.
func (h *history) step() {
	if h.seq == 0 || rand.IntN(2) == 0 {
		h.seq++
		h.rows[h.seq] = message.Message{Seq: h.seq}
		return
	}
	h.change++
	m := h.rows[1+rand.Int64N(h.seq)]
	m.Revision, m.ChangeSeq = m.Revision+1, h.change
	h.rows[m.Seq] = m
}

// since is what a statement reads after a place.
func (h *history) since(p Since) (rows []*message.Message) {
	for seq := int64(1); seq <= h.seq; seq++ {
		if m := h.rows[seq]; seq > p.Seq || m.ChangeSeq > p.Change {
			rows = append(rows, &m)
		}
	}
	return rows
}

// TestNewsLeadOn: news that are added up over any looks, with changes between the look at the
// state and the reading of the rows, lead from each place that they cover to the rows as they are.
func TestNewsLeadOn(t *testing.T) {
	t.Parallel()
	covered := 0
	for range 60 {
		h := &history{rows: map[int64]message.Message{}}
		var places []place
		var news *News
		var last Since
		for range 8 {
			for range 1 + rand.IntN(6) {
				h.step()
				places = append(places, place{Since{Seq: h.seq, Change: h.change}, maps.Clone(h.rows)})
			}
			state := Since{Seq: h.seq, Change: h.change}
			for range rand.IntN(3) {
				h.step() // after the look at the state
			}
			news = newNews(last, h.since(last)).after(news)
			last = state
			for _, p := range places {
				if p.Seq <= state.Seq && p.Change <= state.Change && news.Cover(p.Seq, p.Change) {
					covered++
					require.Equal(t, h.rows, p.after(news))
				}
			}
		}
	}
	require.Greater(t, covered, 500)
}

// place is one of the conversation, with its rows as they were there.
type place struct {
	Since
	rows map[int64]message.Message
}

// after returns the rows as they are after the news.
func (p place) after(news *News) map[int64]message.Message {
	rows := maps.Clone(p.rows)
	for _, m := range append(news.Changed(p.Seq, p.Change), news.Appended(p.Seq)...) {
		rows[m.Seq] = *m
	}
	return rows
}

// TestNewsAreBounded: beyond their bounds news begin anew, and cover what came since then alone.
func TestNewsAreBounded(t *testing.T) {
	t.Parallel()
	var news *News
	for seq := int64(1); seq <= 3*newsRows; seq++ {
		news = newNews(Since{Seq: seq - 1}, []*message.Message{{Seq: seq}}).after(news)
		require.LessOrEqual(t, len(news.rows), newsRows)
		require.LessOrEqual(t, news.size, newsBytes)
	}
	require.False(t, news.Cover(newsRows, 0))
	require.True(t, news.Cover(3*newsRows-1, 0))
	large := &message.Message{Seq: 3*newsRows + 1, Content: string(make([]byte, newsBytes))}
	require.False(t, newNews(Since{Seq: 3 * newsRows}, []*message.Message{large}).after(news).Cover(3*newsRows-1, 0))

	h := NewHub(nil, nil, nil, nil)
	var topics []*topic
	for range 2 * keptBytes / newsBytes {
		topics = append(topics, &topic{})
		h.keep(topics[len(topics)-1], newNews(Since{}, []*message.Message{large}))
		require.LessOrEqual(t, h.kept, keptBytes)
	}
	for _, t := range topics {
		h.rest(t)
		h.rest(t)
	}
	require.Zero(t, h.kept, "what nobody has needed for two intervals is forgotten")
}
