package engine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TestRandomWordsOnBothDatabases does the same random things to both databases and to a model
// in plain Go: writes, edits, deletes, restores and moves messages and conversations, and lets the
// index be packed. Random queries find the same in all three.
func TestRandomWordsOnBothDatabases(t *testing.T) {
	t.Parallel()
	both := newTwin(t)
	rapid.Check(t, func(r *rapid.T) {
		m := &wordModel{twin: both, t: t, user: uuid.New()}
		for range 3 {
			m.newThread(r)
		}
		for range rapid.IntRange(1, 25).Draw(r, "steps") {
			m.step(r)
			m.askAnything(r)
		}
	})
}

// wordModel is what the user's rows are.
type wordModel struct {
	twin
	t        *testing.T
	user     uuid.UUID
	threads  []*wordThread
	messages []*wordMessage
	seq      int64
}

type wordThread struct {
	id      uuid.UUID
	subject string
	deleted bool
}

type wordMessage struct {
	id      uuid.UUID
	text    string
	thread  *wordThread
	deleted bool
}

// wordPieces are what texts and queries are made of, so that they meet.
var wordPieces = []string{
	"a", "b", "ab", "abc", "A", "red", "Red", "dragon", "snake_case", "e-mail", "C++", "c#", "é", "e\u0301", "ß", "SS", "İ", "ﬁ", "½", "1", "2",
	"東", "京", "東京", "都", "서울", "ก้", "ｶﾞ", "👍🏽", "🇩🇪", "שָׁ", "ال", "\u200d", "\u00ad", "\u200b", "\u0301", "\ufdd0", "\u202e", "<b>", "&", "/", "_", ".", "'", "%",
}

func piece() *rapid.Generator[string] {
	anything := rapid.Map(rapid.StringN(0, 5, 20), func(s string) string { return strings.ReplaceAll(s, "\x00", "") })
	return rapid.OneOf(rapid.SampledFrom(wordPieces), rapid.SampledFrom(wordPieces), rapid.SampledFrom(wordPieces), anything)
}

// anyText is a few pieces with and without spaces, or very many of one.
func anyText() *rapid.Generator[string] {
	return rapid.Custom(func(r *rapid.T) string {
		if rapid.IntRange(0, 15).Draw(r, "run") == 0 {
			return strings.Repeat(piece().Draw(r, "unit"), rapid.IntRange(1, 300).Draw(r, "times"))
		}
		var s strings.Builder
		for range rapid.IntRange(0, 12).Draw(r, "pieces") {
			s.WriteString(piece().Draw(r, "piece"))
			s.WriteString(rapid.SampledFrom([]string{" ", " ", "", "\n", "-"}).Draw(r, "gap"))
		}
		return s.String()
	})
}

// anySubject is anyText in one line, as a header has it.
func anySubject() *rapid.Generator[string] {
	return rapid.Map(anyText(), func(text string) string { return strings.NewReplacer("\n", " ", "\r", " ").Replace(text) })
}

// anyQuery has the syntax of queries, well and badly formed.
func anyQuery() *rapid.Generator[string] {
	return rapid.Custom(func(r *rapid.T) string {
		var s strings.Builder
		for range rapid.IntRange(1, 4).Draw(r, "terms") {
			s.WriteString(rapid.SampledFrom([]string{"", "", "", "", "-", "OR ", `"`, "“"}).Draw(r, "before"))
			for range rapid.IntRange(1, 3).Draw(r, "pieces") {
				s.WriteString(piece().Draw(r, "piece"))
				s.WriteString(rapid.SampledFrom([]string{"", "", " "}).Draw(r, "gap"))
			}
			s.WriteString(rapid.SampledFrom([]string{" ", " ", " ", "* ", `" `, `"`, "” "}).Draw(r, "after"))
		}
		return s.String()
	})
}

// both does something in both stores.
func (m *wordModel) both(r *rapid.T, do func(st store.Store, mine store.Scope) error) {
	r.Helper()
	for i, st := range m.twin {
		require.NoError(r, do(st, st.ForUser(m.user)), []string{"SQLite", "PostgreSQL"}[i])
	}
}

func (m *wordModel) newThread(r *rapid.T) {
	th := &wordThread{id: uuid.New(), subject: anySubject().Draw(r, "subject")}
	m.threads = append(m.threads, th)
	m.both(r, func(_ store.Store, mine store.Scope) error {
		return mine.Conversations().Create(m.t.Context(), &conversation.Conversation{ID: th.id, Subject: th.subject})
	})
}

func (m *wordModel) step(r *rapid.T) {
	th := rapid.SampledFrom(m.threads).Draw(r, "thread")
	what := rapid.SampledFrom([]string{"append", "append", "append", "edit", "delete", "move", "thread", "subject", "purge", "erase", "crowd"}).Draw(r, "step")
	if len(m.messages) == 0 && slices.Contains([]string{"edit", "delete", "move"}, what) {
		what = "append"
	}
	switch what {
	case "append":
		m.append(r, th)
	case "edit", "delete", "move":
		m.change(r, what, rapid.SampledFrom(m.messages).Draw(r, "message"), th)
	case "thread":
		m.toggleThread(r, th)
	case "subject":
		if !th.deleted {
			th.subject = anySubject().Draw(r, "subject")
			m.both(r, func(_ store.Store, mine store.Scope) error {
				_, err := mine.Conversations().SetSubject(m.t.Context(), th.id, th.subject)
				return err
			})
		}
	case "purge":
		m.purge(r)
	case "erase":
		m.erase(r, th)
	case "crowd":
		if rapid.IntRange(0, 5).Draw(r, "rarely") == 0 {
			m.crowd(m.t, r)
		}
	}
}

func (m *wordModel) append(r *rapid.T, th *wordThread) {
	if th.deleted {
		return
	}
	one := &wordMessage{id: uuid.New(), text: anyText().Draw(r, "text"), thread: th}
	m.messages = append(m.messages, one)
	m.both(r, func(_ store.Store, mine store.Scope) error {
		_, err := mine.Messages().Append(m.t.Context(), th.id, &message.Message{ID: one.id, Role: message.RoleUser, Content: one.text})
		return err
	})
}

func (m *wordModel) change(r *rapid.T, what string, one *wordMessage, to *wordThread) {
	ctx := m.t.Context()
	if one.thread.deleted && what != "move" {
		return
	}
	switch {
	case what == "move":
		m.move(r, one, to)
	case one.deleted:
		m.both(r, func(_ store.Store, mine store.Scope) error {
			_, err := mine.Messages().Restore(ctx, one.id)
			return err
		})
		one.deleted = false
	case what == "delete":
		m.both(r, func(_ store.Store, mine store.Scope) error {
			_, err := mine.Messages().Delete(ctx, one.id)
			return err
		})
		one.deleted = true
	default:
		one.text = anyText().Draw(r, "text")
		m.both(r, func(_ store.Store, mine store.Scope) error {
			_, err := mine.Messages().Update(ctx, one.id, store.MessageUpdate{Content: &one.text})
			return err
		})
	}
}

// move is a host's own SQL: the library has no call for it.
func (m *wordModel) move(r *rapid.T, one *wordMessage, to *wordThread) {
	m.seq++
	m.both(r, func(st store.Store, _ store.Scope) error {
		db := st.DB(m.t.Context())
		return db.Table(message.Message{}.TableName(db.NamingStrategy)).Where("id = ? AND user_id = ?", one.id, m.user).
			UpdateColumns(map[string]any{"conversation_id": to.id, "seq": 1_000_000 + m.seq, "change_seq": nil}).Error
	})
	one.thread = to
}

func (m *wordModel) toggleThread(r *rapid.T, th *wordThread) {
	m.both(r, func(_ store.Store, mine store.Scope) (err error) {
		if th.deleted {
			_, err = mine.Conversations().Restore(m.t.Context(), th.id)
		} else {
			_, err = mine.Conversations().Delete(m.t.Context(), th.id)
		}
		return err
	})
	th.deleted = !th.deleted
}

// purge removes for good what is deleted.
func (m *wordModel) purge(r *rapid.T) {
	var counts []store.Counts
	m.both(r, func(_ store.Store, mine store.Scope) error {
		c, err := mine.Maintenance().Purge(m.t.Context(), time.Now().Add(1e6*time.Hour))
		counts = append(counts, c)
		return err
	})
	require.Equal(r, counts[0], counts[1])
	m.threads = slices.DeleteFunc(m.threads, func(th *wordThread) bool { return th.deleted })
	m.messages = slices.DeleteFunc(m.messages, func(one *wordMessage) bool { return one.deleted || one.thread.deleted })
	if len(m.threads) == 0 {
		m.newThread(r)
	}
}

func (m *wordModel) erase(r *rapid.T, th *wordThread) {
	if len(m.threads) == 1 {
		return
	}
	m.both(r, func(_ store.Store, mine store.Scope) error {
		_, err := mine.Conversations().Erase(m.t.Context(), th.id)
		return err
	})
	m.threads = slices.DeleteFunc(m.threads, func(o *wordThread) bool { return o == th })
	m.messages = slices.DeleteFunc(m.messages, func(one *wordMessage) bool { return one.thread == th })
}

// askAnything compares the answers of both databases with those of the model.
func (m *wordModel) askAnything(r *rapid.T) {
	ask := anyQuery().Draw(r, "query")
	how := rapid.SampledFrom([]searchtest.How{searchtest.All, searchtest.Any}).Draw(r, "how")
	mine := func(st store.Store) store.Scope { return st.ForUser(m.user) }
	found, threads := m.ask(m.t, r, mine, ask, store.TextOptions{Match: store.Match(how)})
	m.ask(m.t, r, mine, ask, store.TextOptions{Match: store.Match(how), Order: store.Newest})

	what := fmt.Sprintf("%q (%d)", ask, how)
	scores, counts, best := m.messageScores(ask, how)
	sameScores(r, scores, found, what)
	for id, score := range m.subjectScores(ask, how) {
		best[id] = max(best[id], 2*score)
	}
	sameScores(r, best, threads, "conversations of "+what)
	for _, hit := range threads {
		require.Equal(r, counts[hit.id], hit.messages, what)
	}
}

// messageScores are of the messages that a query finds. Messages of deleted conversations are not
// found, but count where it is about how rare a word is.
func (m *wordModel) messageScores(ask string, how searchtest.How) (scores map[uuid.UUID]float64, counts map[uuid.UUID]int64, best map[uuid.UUID]float64) {
	var there []*wordMessage
	var texts []string
	for _, one := range m.messages {
		if !one.deleted {
			there, texts = append(there, one), append(texts, one.text)
		}
	}
	scores, counts, best = map[uuid.UUID]float64{}, map[uuid.UUID]int64{}, map[uuid.UUID]float64{}
	for _, hit := range searchtest.Find(texts, ask, how) {
		if one := there[hit.Text]; !one.thread.deleted {
			scores[one.id] = hit.Score
			counts[one.thread.id]++
			best[one.thread.id] = max(best[one.thread.id], hit.Score)
		}
	}
	return scores, counts, best
}

func (m *wordModel) subjectScores(ask string, how searchtest.How) map[uuid.UUID]float64 {
	var texts []string
	for _, th := range m.threads {
		texts = append(texts, " "+th.subject)
	}
	scores := map[uuid.UUID]float64{}
	for _, hit := range searchtest.Find(texts, ask, how) {
		if th := m.threads[hit.Text]; !th.deleted {
			scores[th.id] = hit.Score
		}
	}
	return scores
}
