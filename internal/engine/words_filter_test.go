package engine_test

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// filterWorld has the same rows on both databases: two users, whose messages have the same ids.
type filterWorld struct {
	twin
	threads  map[uuid.UUID]*filterThread // by id, which is one user's
	messages []*filterMessage            // the newest first
}

type filterThread struct {
	*conversation.Conversation
	labels []string
}

type filterMessage struct {
	*message.Message
	file, result, about string
}

var filterVocabulary = []string{"alpha", "beta", "gamma", "delta"}

// pick is what a row has of some values, by its number.
func pick[T any](values []T, n int) T { return values[n%len(values)] }

func newFilterWorld(t *testing.T) *filterWorld {
	t.Helper()
	w := &filterWorld{twin: newTwin(t), threads: map[uuid.UUID]*filterThread{}}
	start := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	ids := make([]uuid.UUID, 60)
	for i := range ids {
		ids[i] = uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, i))
		var ms [8]byte // like ids of the library, which begin with their time
		binary.BigEndian.PutUint64(ms[:], uint64(filterTime(start, i).UnixMilli()))
		copy(ids[i][:6], ms[2:])
	}
	for u := range 2 {
		user := uuid.NewSHA1(uuid.NameSpaceOID, []byte{byte(u)})
		for n := range 6 {
			c := &conversation.Conversation{
				ID: uuid.NewSHA1(user, []byte{byte(n)}), UserID: user, Title: pick(filterVocabulary, n), LeadID: pick([]string{"", "l1", "l2"}, n),
				Status: pick([]conversation.Status{conversation.StatusWaiting, conversation.StatusNeedsReply}, n), LastSeq: 10,
				CreatedAt: start, LastMessageAt: start.Add(time.Duration(n/2) * time.Hour),
			}
			if n == 5 {
				c.DeletedAt = gorm.DeletedAt{Time: start, Valid: true}
			}
			w.threads[c.ID] = &filterThread{c, pick([][]string{nil, {"red"}, {"blue"}, {"red", "blue"}}, n)}
			for i := range 10 {
				w.messages = append(w.messages, newFilterMessage(c, ids[n*10+i], n*10+i, start))
			}
		}
	}
	slices.SortFunc(w.messages, func(a, b *filterMessage) int {
		return -cmp.Or(a.CreatedAt.Compare(b.CreatedAt), bytes.Compare(a.ID[:], b.ID[:]), bytes.Compare(a.UserID[:], b.UserID[:]))
	})
	w.write(t)
	return w
}

// filterTime is the same for several messages.
func filterTime(start time.Time, n int) time.Time {
	return start.Add(time.Duration(n/3) * time.Minute)
}

func newFilterMessage(c *conversation.Conversation, id uuid.UUID, n int, start time.Time) *filterMessage {
	word := func(i int) string { return pick(filterVocabulary, n*n/3+i) }
	m := &filterMessage{file: word(1) + ".txt", result: word(2), about: word(3)}
	at := filterTime(start, n)
	m.Message = &message.Message{
		ID: id, UserID: c.UserID, ConversationID: c.ID, Seq: int64(n%10 + 1), CreatedAt: at, SentAt: at.Add(-time.Duration(n%7) * time.Hour),
		Role: pick([]message.Role{message.RoleUser, message.RoleAssistant, message.RoleTool}, n), Kind: pick(message.Kinds(), n/4),
		Direction: pick([]message.Direction{message.DirectionNone, message.DirectionInbound, message.DirectionOutbound}, n/2),
		Content:   strings.TrimSpace(strings.Repeat(word(0)+" ", n%3) + word(n%5) + " and " + word(n%4)),
		Metadata:  []byte(fmt.Sprintf(`{"about":%q,"of":%q,"n":%d}`, m.about, pick([]string{"x", "y"}, n), n)),
	}
	m.ToolResults = []byte(fmt.Sprintf(`[{"content":%q}]`, m.result))
	m.Attachments = message.Attachments{{Filename: m.file}}
	m.Normalize(at)
	if n%9 == 4 {
		m.DeletedAt = gorm.DeletedAt{Time: at, Valid: true}
	}
	return m
}

func (w *filterWorld) write(t *testing.T) {
	t.Helper()
	for _, st := range w.twin {
		db := st.DB(t.Context())
		for _, th := range w.threads {
			c := *th.Conversation
			require.NoError(t, db.Create(&c).Error)
			for _, label := range th.labels {
				require.NoError(t, db.Create(&conversation.Label{ConversationID: c.ID, UserID: c.UserID, Label: label}).Error)
			}
		}
		for i, one := range w.messages {
			m := *one.Message
			require.NoError(t, db.Session(&gorm.Session{SkipHooks: true}).Create(&m).Error)
			if i == len(w.messages)/2 {
				require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
			}
		}
	}
}

// TestFiltersOfSearches compares random filters, in every order and size of pages and for every
// part of a message, with a model that reads all rows.
func TestFiltersOfSearches(t *testing.T) {
	t.Parallel()
	w := newFilterWorld(t)
	rapid.Check(t, func(r *rapid.T) {
		w.askAnything(t, r)
	})
}

func anyOf[T any](r *rapid.T, name string, values ...T) []T {
	return rapid.SliceOfN(rapid.SampledFrom(values), 0, 2).Draw(r, name)
}

func (w *filterWorld) filter(r *rapid.T) (f store.SearchFilter) {
	draw := func(name string) bool { return rapid.IntRange(0, 3).Draw(r, name) == 0 }
	if draw("in one conversation") {
		f.ConversationID = rapid.SampledFrom(w.messages).Draw(r, "of").ConversationID
	}
	if draw("of a lead") {
		f.LeadID = rapid.SampledFrom([]string{"l1", "l2", "l3"}).Draw(r, "lead")
	}
	f.Statuses = anyOf(r, "statuses", conversation.StatusWaiting, conversation.StatusNeedsReply, conversation.StatusArchived)
	if draw("by messages") {
		f.Roles = anyOf(r, "roles", message.RoleUser, message.RoleAssistant, message.RoleTool)
		f.Kinds = anyOf(r, "kinds", message.Kinds()...)
		f.Direction = rapid.SampledFrom([]message.Direction{message.DirectionNone, message.DirectionInbound}).Draw(r, "direction")
	}
	f.Labels = anyOf(r, "labels", "red", "blue", "green")
	if draw("metadata") {
		f.Metadata = anyOf(r, "texts", store.MetadataText{Key: "of", Value: "x"}, store.MetadataText{Key: "about", Value: "beta"}, store.MetadataText{Key: "n", Value: "3"})
	}
	if draw("times") {
		f.SentSince = rapid.SampledFrom(w.messages).Draw(r, "since").SentAt
	}
	if draw("before") {
		f.SentBefore = rapid.SampledFrom(w.messages).Draw(r, "before").SentAt
	}
	return f
}

func (w *filterWorld) askAnything(t *testing.T, r *rapid.T) {
	o := store.TextOptions{
		Filter: w.filter(r), Match: rapid.SampledFrom([]store.Match{store.MatchAll, store.MatchAny, store.MatchSubstring}).Draw(r, "match"),
		Order: rapid.SampledFrom([]store.TextOrder{store.ByRank, store.Newest}).Draw(r, "order"),
	}
	words := rapid.SliceOfNDistinct(rapid.SampledFrom(filterVocabulary), 1, 2, rapid.ID).Draw(r, "words")
	if o.Match == store.MatchSubstring {
		words = []string{words[0][1:4]}
	} else {
		o.In = anyOf(r, "in", store.InContent, store.InAttachments, store.InToolResults, store.InMetadata)
	}
	of := uuid.Nil
	if rapid.Bool().Draw(r, "one user's") {
		of = w.messages[rapid.IntRange(0, len(w.messages)-1).Draw(r, "user")].UserID
	}
	sc := func(st store.Store) store.Scope {
		if of == uuid.Nil {
			return st.AllUsers()
		}
		return st.ForUser(of)
	}
	size := rapid.IntRange(1, 30).Draw(r, "page size")
	ask := strings.Join(words, " ")
	var want []*filterMessage
	for _, m := range w.messages {
		if (of == uuid.Nil || m.UserID == of) && w.passes(m, o.Filter) && m.matches(words, o) {
			want = append(want, m)
		}
	}
	var scores [2][]uint64
	for i, st := range w.twin {
		scores[i] = w.checkMessages(t, r, sc(st), ask, o, size, want)
		w.checkThreads(t, r, sc(st), ask, words, of, o, size, want)
	}
	require.Equal(r, scores[0], scores[1], "scores of both databases")
}

func (w *filterWorld) passes(m *filterMessage, f store.SearchFilter) bool {
	th := w.threads[m.ConversationID]
	has := func(t store.MetadataText) bool {
		return t.Key == "about" && t.Value == m.about || t.Key == "of" && strings.Contains(string(m.Metadata), fmt.Sprintf(`"of":%q`, t.Value))
	}
	return !m.DeletedAt.Valid && w.threadPasses(th, f) &&
		(len(f.Roles) == 0 || slices.Contains(f.Roles, m.Role)) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, m.Kind)) &&
		(f.Direction == message.DirectionNone || f.Direction == m.Direction) &&
		!slices.ContainsFunc(f.Metadata, func(t store.MetadataText) bool { return !has(t) }) &&
		(f.SentSince.IsZero() || !m.SentAt.Before(f.SentSince)) && (f.SentBefore.IsZero() || m.SentAt.Before(f.SentBefore))
}

func (w *filterWorld) threadPasses(th *filterThread, f store.SearchFilter) bool {
	return !th.DeletedAt.Valid && (f.ConversationID == uuid.Nil || f.ConversationID == th.ID) && (f.LeadID == "" || f.LeadID == th.LeadID) &&
		(len(f.Statuses) == 0 || slices.Contains(f.Statuses, th.Status)) &&
		(len(f.Labels) == 0 || slices.ContainsFunc(th.labels, func(l string) bool { return slices.Contains(f.Labels, l) }))
}

func (m *filterMessage) matches(words []string, o store.TextOptions) bool {
	in := map[store.TextField]string{store.InContent: m.Content, store.InAttachments: m.file, store.InToolResults: m.result, store.InMetadata: string(m.Metadata)}
	fields := o.In
	if len(fields) == 0 {
		fields = []store.TextField{store.InContent}
	}
	found := 0
	for _, word := range words {
		if slices.ContainsFunc(fields, func(f store.TextField) bool { return strings.Contains(in[f], word) }) {
			found++
		}
	}
	return found == len(words) || found > 0 && o.Match == store.MatchAny
}

func (w *filterWorld) checkMessages(t *testing.T, r *rapid.T, sc store.Scope, ask string, o store.TextOptions, size int, want []*filterMessage) (scores []uint64) {
	var got []*store.MessageHit
	for p := (store.PageRequest{Limit: size}); ; {
		page, err := sc.Search().Messages(t.Context(), ask, o, p)
		require.NoError(r, err)
		require.True(r, page.Next == "" || len(page.Items) == size, "a page that is not the last is full")
		got = append(got, page.Items...)
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	var keys, wanted []string
	for i, hit := range got {
		keys = append(keys, hit.Message.ID.String()+hit.Message.UserID.String())
		scores = append(scores, math.Float64bits(hit.Score))
		require.Equal(r, hit.Message.ConversationID, hit.Conversation.ID)
		if byRank := o.Order == store.ByRank && o.Match != store.MatchSubstring; byRank && i > 0 {
			a, b := got[i-1], hit
			require.Positive(r, cmp.Or(cmp.Compare(a.Score, b.Score), bytes.Compare(a.Message.ID[:], b.Message.ID[:]), bytes.Compare(a.Message.UserID[:], b.Message.UserID[:])))
		}
	}
	for _, m := range want {
		wanted = append(wanted, m.ID.String()+m.UserID.String())
	}
	if o.Order == store.ByRank && o.Match != store.MatchSubstring {
		require.Equal(r, slices.Sorted(slices.Values(wanted)), slices.Sorted(slices.Values(keys)))
	} else {
		require.Equal(r, wanted, keys)
	}
	return scores
}

func (w *filterWorld) checkThreads(t *testing.T, r *rapid.T, sc store.Scope, ask string, words []string, of uuid.UUID, o store.TextOptions, size int, want []*filterMessage) {
	counts := map[uuid.UUID]int64{}
	for _, m := range want {
		counts[m.ConversationID]++
	}
	f := o.Filter
	byMessages := len(f.Roles) > 0 || len(f.Kinds) > 0 || len(f.Metadata) > 0 || f.Direction != message.DirectionNone || !f.SentSince.IsZero() || !f.SentBefore.IsZero()
	for _, th := range w.threads {
		title := &filterMessage{Message: &message.Message{Content: th.Title}}
		if !byMessages && (of == uuid.Nil || of == th.UserID) && w.threadPasses(th, f) && title.matches(words, store.TextOptions{Match: o.Match}) {
			counts[th.ID] += 0
		}
	}
	found := map[uuid.UUID]int64{}
	for p := (store.PageRequest{Limit: size}); ; {
		page, err := sc.Search().Conversations(t.Context(), ask, o, p)
		require.NoError(r, err)
		for _, hit := range page.Items {
			require.NotContains(r, found, hit.Conversation.ID, "a conversation twice")
			found[hit.Conversation.ID] = hit.Messages
		}
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	require.Equal(r, counts, found)
}
