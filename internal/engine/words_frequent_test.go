package engine_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/searchtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// frequentThread is a conversation of which nearly all have the same words.
type frequentThread struct {
	user, id uuid.UUID
	status   conversation.Status
	active   time.Time
	deleted  bool
	subject  string
	texts    []string
}

// frequentThreads are of three users. Very many tie: their texts are of few kinds. Only the oldest
// have "old", and only few have "seldom".
func frequentThreads() (all []*frequentThread) {
	at := time.Date(2026, time.February, 1, 0, 0, 0, 0, time.UTC)
	for i := range 240 {
		th := &frequentThread{
			user: uuid.NewSHA1(uuid.NameSpaceOID, []byte{byte(i % 3)}), id: uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, "frequent", i)),
			status: pick([]conversation.Status{conversation.StatusWaiting, conversation.StatusNeedsReply, conversation.StatusArchived, conversation.StatusWaiting}, i),
			active: at.Add(time.Duration(i/2) * time.Minute), deleted: i%9 == 4,
			subject: pick([]string{"an offer", "an offer", "chairs", "an offer", "an offer of chairs"}, i),
		}
		text := pick([]string{"some chairs please", "some chairs please", "chairs and more chairs for an office", "no thanks"}, i/2)
		if i < 80 {
			text += " old"
		}
		if i%60 == 7 {
			text += " seldom"
		}
		th.texts = append(th.texts, text)
		if i%5 == 1 {
			th.texts = append(th.texts, "some chairs please", "chairs")
		}
		all = append(all, th)
	}
	return all
}

// writeFrequent writes the conversations to both databases, packs the index in the middle, and
// deletes some afterwards, so that segments have what is void.
func (w twin) writeFrequent(t *testing.T, all []*frequentThread) {
	t.Helper()
	for _, st := range w {
		for i, th := range all {
			c := &conversation.Conversation{ID: th.id, Subject: th.subject}
			for n, text := range th.texts {
				id := uuid.NewSHA1(th.id, []byte{byte(n)})
				c.Messages = append(c.Messages, &message.Message{ID: id, Role: message.RoleUser, Content: text, SentAt: th.active})
			}
			mine := st.ForUser(th.user)
			require.NoError(t, mine.Conversations().Create(t.Context(), c))
			db := st.DB(t.Context())
			require.NoError(t, db.Table(c.TableName(db.NamingStrategy)).Where("id = ? AND user_id = ?", th.id, th.user).UpdateColumn("status", th.status).Error)
			if i%100 == 99 {
				require.NoError(t, st.AllUsers().Maintenance().PackSearch(t.Context()))
			}
		}
		for _, th := range all {
			if th.deleted {
				_, err := st.ForUser(th.user).Conversations().Delete(t.Context(), th.id)
				require.NoError(t, err)
			}
		}
	}
}

// TestFrequentWords asks for words that most conversations have, of which very many tie: what is
// found, its scores and its order are those of plain Go, whatever the size of a page.
func TestFrequentWords(t *testing.T) {
	t.Parallel()
	w, all := newTwin(t), frequentThreads()
	w.writeFrequent(t, all)
	for _, user := range []uuid.UUID{uuid.Nil, all[0].user} {
		of := func(st store.Store) store.Scope {
			if user == uuid.Nil {
				return st.AllUsers()
			}
			return st.ForUser(user)
		}
		own := slices.DeleteFunc(slices.Clone(all), func(th *frequentThread) bool { return user != uuid.Nil && th.user != user })
		for _, ask := range []string{"chairs", "some chairs", "chairs -office", "old", "old chairs", "seldom", "offer", "cha*", `"some chairs"`} {
			for _, statuses := range [][]conversation.Status{nil, {conversation.StatusWaiting}, {conversation.StatusArchived}} {
				o := store.TextOptions{Filter: store.SearchFilter{Statuses: statuses}}
				what := fmt.Sprintf("%q of %s with %v", ask, user, statuses)
				scores, counts := frequentScores(own, ask, statuses)
				messages, threads := w.ask(t, t, of, ask, o)
				sameScores(t, scores, threads, what)
				for _, hit := range threads {
					require.Equal(t, counts[hit.id], hit.messages, what)
				}
				o.Order = store.Newest
				_, newest := w.ask(t, t, of, ask, o)
				require.Equal(t, frequentNewest(own, scores), idsOf(newest), "newest "+what)
				for _, st := range w {
					require.Equal(t, idsOf(newest), pagedThreads(t, of(st), ask, o, 3), "newest "+what)
					o := store.TextOptions{Filter: o.Filter}
					require.Equal(t, idsOf(threads), pagedThreads(t, of(st), ask, o, 7), what)
					require.Equal(t, idsOf(messages), pagedMessages(t, of(st), ask, o, 13), what)
				}
			}
		}
	}
}

// frequentScores are what plain Go finds, and how many messages of each conversation match.
func frequentScores(all []*frequentThread, ask string, statuses []conversation.Status) (scores map[uuid.UUID]float64, counts map[uuid.UUID]int64) {
	scores, counts = map[uuid.UUID]float64{}, map[uuid.UUID]int64{}
	var texts, subjects []string
	var of []*frequentThread
	for _, th := range all {
		subjects = append(subjects, " "+th.subject)
		for _, text := range th.texts {
			texts, of = append(texts, text), append(of, th)
		}
	}
	passes := func(th *frequentThread) bool {
		return !th.deleted && (len(statuses) == 0 || slices.Contains(statuses, th.status))
	}
	for _, hit := range searchtest.Find(texts, ask, searchtest.All) {
		if th := of[hit.Text]; passes(th) {
			scores[th.id] = max(scores[th.id], hit.Score)
			counts[th.id]++
		}
	}
	for _, hit := range searchtest.Find(subjects, ask, searchtest.All) {
		if th := all[hit.Text]; passes(th) {
			scores[th.id] = max(scores[th.id], 2*hit.Score)
		}
	}
	return scores, counts
}

// frequentNewest are the conversations that have a score, the latest first.
func frequentNewest(all []*frequentThread, scores map[uuid.UUID]float64) (ids []uuid.UUID) {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *frequentThread) int {
		return -cmp.Or(a.active.Compare(b.active), bytes.Compare(a.id[:], b.id[:]))
	})
	for _, th := range all {
		if _, ok := scores[th.id]; ok {
			ids = append(ids, th.id)
		}
	}
	return ids
}

func idsOf(hits []wordHit) (ids []uuid.UUID) {
	for _, h := range hits {
		ids = append(ids, h.id)
	}
	return ids
}

func pagedThreads(t *testing.T, sc store.Scope, ask string, o store.TextOptions, size int) (ids []uuid.UUID) {
	t.Helper()
	for p := (store.PageRequest{Limit: size}); ; {
		page, err := sc.Search().Conversations(t.Context(), ask, o, p)
		require.NoError(t, err)
		for _, h := range page.Items {
			ids = append(ids, h.Conversation.ID)
		}
		if p.After = page.Next; p.After == "" {
			return ids
		}
	}
}

func pagedMessages(t *testing.T, sc store.Scope, ask string, o store.TextOptions, size int) (ids []uuid.UUID) {
	t.Helper()
	for p := (store.PageRequest{Limit: size}); ; {
		page, err := sc.Search().Messages(t.Context(), ask, o, p)
		require.NoError(t, err)
		for _, h := range page.Items {
			ids = append(ids, h.Message.ID)
		}
		if p.After = page.Next; p.After == "" {
			return ids
		}
	}
}
