package storetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

func heirTests() subtests {
	return subtests{
		"Merge":            testMerge,
		"MergeBranches":    testMergeBranches,
		"MergeHeads":       testMergeHeads,
		"MergeKeys":        testMergeKeys,
		"MergeMarks":       testMergeMarks,
		"MergeSnooze":      testMergeSnooze,
		"MergeReads":       testMergeReads,
		"MergeSuggestions": testMergeSuggestions,
		"MergeFollows":     testMergeFollows,
		"MergeStatus":      testMergeStatus,
		"MergeRefuses":     testMergeRefuses,
		"MergeChain":       testMergeChain,
		"MergeHold":        testMergeHold,
		"MergeErase":       testMergeErase,
		"MergeUndone":      testMergeUndone,
		"MergeDrafts":      testMergeDrafts,
		"MoveDrafts":       testMoveDrafts,
		"FileDrafts":       testFileDrafts,
	}
}

// at is a message of the user that was sent so many seconds after the epoch.
func at(seconds int, content string) *message.Message {
	return &message.Message{Direction: message.DirectionInbound, Content: content, SentAt: epoch.Add(time.Duration(seconds) * time.Second)}
}

func (w *world) mailed(t testing.TB, ms ...*message.Message) *conversation.Conversation {
	t.Helper()
	c := w.conversation(t)
	for _, m := range ms {
		w.append(t, c, m)
	}
	return w.get(t, c.ID)
}

func (w *world) merge(t testing.TB, from, into *conversation.Conversation) *conversation.Conversation {
	t.Helper()
	c, err := w.mine.Conversations().Merge(t.Context(), from.ID, into.ID, store.MoveOptions{})
	require.NoError(t, err)
	require.Equal(t, into.ID, c.ID)
	same(t, w.get(t, into.ID), c)
	return c
}

// mergedInto requires that an error says where a conversation went.
func mergedInto(t testing.TB, err error, from, into uuid.UUID) {
	t.Helper()
	require.ErrorIs(t, err, store.ErrNotFound)
	var merged *store.MergedError
	require.ErrorAs(t, err, &merged)
	require.Equal(t, [2]uuid.UUID{from, into}, [2]uuid.UUID{merged.From, merged.Into})
}

func testMerge(t *testing.T, w *world) {
	w.clock.add(time.Hour) // after all that is sent
	into := w.mailed(t, at(10, "a"), at(40, "b"))
	from := w.mailed(t, at(30, "d"), at(20, "c"), at(50, "e"))
	hidden := w.append(t, from, at(25, "hidden"))
	w.deleteMessage(t, hidden)
	w.tick()
	c := w.merge(t, from, into)
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, w.messages(t, c), "new seqs in the order of sent_at among those moved")
	require.Equal(t, int64(6), c.LastSeq)
	require.Equal(t, epoch.Add(50*time.Second).UTC(), c.LastMessageAt)
	require.False(t, c.Branched)
	all, err := collect(w.mine.Messages().All(t.Context(), c.ID, store.MessageFilter{Deleted: store.IncludeDeleted}))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c", "hidden", "d", "e"}, contents(all))
	for i, m := range all {
		require.Equal(t, int64(i+1), m.Seq)
		require.Nil(t, m.ParentSeq)
	}
	_, err = w.mine.Messages().Restore(t.Context(), hidden.ID)
	require.NoError(t, err, "what was deleted is deleted there, and can be restored")
	gone, err := w.mine.Conversations().Get(t.Context(), from.ID)
	require.Nil(t, gone)
	mergedInto(t, err, from.ID, into.ID)
	left := w.listed(t, store.ConversationFilter{Deleted: store.OnlyDeleted})
	require.Len(t, left, 1)
	require.Equal(t, &into.ID, left[0].MergedIntoID)
	require.True(t, left[0].Deleted())
	w.append(t, c, at(60, "f"))
	again := w.merge(t, from, into)
	require.Equal(t, int64(7), again.LastSeq, "a merge that was done is done")
}

func testMergeBranches(t *testing.T, w *world) {
	into := w.mailed(t, at(-9, "a"))
	from := w.tree(t) // 1 2 3, 1 2b 3b with the head there
	c := w.merge(t, from, into)
	require.Equal(t, []string{"a", "1", "2b", "3b"}, w.messages(t, c))
	require.True(t, c.Branched)
	require.Equal(t, new(int64(4)), c.HeadSeq)
	require.Equal(t, []string{"a", "1", "2", "3"}, w.path(t, c, 6), "the other branch comes along")
	w.append(t, c, text("next"))
	require.Equal(t, []string{"a", "1", "2b", "3b", "next"}, w.messages(t, c))
	other := w.mailed(t, at(-5, "z"))
	other = w.merge(t, w.get(t, c.ID), other)
	require.Equal(t, []string{"z", "a", "1", "2b", "3b", "next"}, w.messages(t, other))
	require.Equal(t, []string{"z", "a", "1", "2", "3"}, w.path(t, other, other.LastSeq))
}

// testMergeHeads: where the head of either is not its last message, what is merged follows it.
func testMergeHeads(t *testing.T, w *world) {
	into := w.thread(t, 3)
	must[*conversation.Conversation](t)(w.mine.Messages().SetHead(t.Context(), into.ID, 1))
	from := w.mailed(t, at(10, "x"), at(11, "y"))
	c := w.merge(t, from, into)
	require.Equal(t, []string{"1", "x", "y"}, w.messages(t, c))
	require.Equal(t, []string{"1", "2", "3"}, w.path(t, c, 3))
	cut := w.mailed(t, at(20, "p"), at(21, "q"), at(22, "r"))
	must[int64](t)(w.mine.Messages().TruncateAfter(t.Context(), cut.ID, 1, store.TruncateOptions{}))
	c = w.merge(t, cut, c)
	require.Equal(t, []string{"1", "x", "y", "p"}, w.messages(t, c), "what was cut off stays off the path")
	require.Equal(t, int64(6), *c.HeadSeq)
	empty := w.conversation(t)
	before := c
	c = w.merge(t, empty, c)
	require.Equal(t, before.LastSeq, c.LastSeq)
	c = w.merge(t, c, w.conversation(t))
	require.Equal(t, []string{"1", "x", "y", "p"}, w.messages(t, c), "into one without messages")
	all := w.mailed(t, at(1, "old"))
	must[int64](t)(w.mine.Messages().TruncateAfter(t.Context(), all.ID, 0, store.TruncateOptions{}))
	c = w.merge(t, all, c)
	require.Equal(t, []string{"1", "x", "y", "p"}, w.messages(t, c), "from one of which nothing is on the path")
}

// testMergeKeys: a key that is taken there is given up, every other one goes with its message.
func testMergeKeys(t *testing.T, w *world) {
	keyed := func(seconds int, content, key string) *message.Message {
		m := at(seconds, content)
		m.IdempotencyKey = key
		return m
	}
	into := w.mailed(t, keyed(1, "there", "both"))
	moved, taken := keyed(2, "mine", "own"), keyed(3, "twice", "both")
	moved.GmailMessageID, moved.PostmarkMessageID = "gmail", "postmark"
	from := w.mailed(t, moved, taken)
	c := w.merge(t, from, into)
	got, err := w.mine.Messages().GetByKey(t.Context(), c.ID, "own")
	require.NoError(t, err)
	require.Equal(t, moved.ID, got.ID)
	got, err = w.mine.Messages().GetByKey(t.Context(), c.ID, "both")
	require.NoError(t, err)
	require.Equal(t, into.ID, got.ConversationID)
	require.Equal(t, "there", got.Content)
	require.Empty(t, w.message(t, taken.ID).IdempotencyKey)
	again := keyed(2, "mine", "own")
	created, err := w.mine.Messages().Append(t.Context(), c.ID, again)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, moved.ID, again.ID)
	_, err = w.mine.Messages().Append(t.Context(), from.ID, keyed(2, "mine", "own"))
	mergedInto(t, err, from.ID, c.ID)
	mail := at(9, "the mail again")
	mail.GmailMessageID = "gmail"
	created, err = w.mine.Messages().Append(t.Context(), from.ID, mail)
	require.NoError(t, err, "a provider's id names the mail wherever it is")
	require.False(t, created)
	require.Equal(t, moved.ID, mail.ID)
}

func testMergeMarks(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	into := w.create(t, &conversation.Conversation{Title: "heir"})
	from := w.create(t, &conversation.Conversation{Title: "title", Subject: "subject", LeadID: "lead", Assignee: "ann", ExternalKey: "key"})
	must[int64](t)(cs.AddLabels(t.Context(), into.ID, "ann", []string{"both", "heir"}))
	must[int64](t)(cs.AddLabels(t.Context(), from.ID, "bob", []string{"both", "mine"}))
	place := func(c *conversation.Conversation) store.StatePlace {
		return store.StatePlace{Kind: store.ConversationKind, ConversationID: c.ID}
	}
	must[map[string]int64](t)(w.mine.States().Merge(t.Context(), place(into), store.StateMap{"both": []byte("heir")}, store.MergeOptions{}))
	must[map[string]int64](t)(w.mine.States().Merge(t.Context(), place(from), store.StateMap{"both": []byte("from"), "own": []byte("from")}, store.MergeOptions{}))
	c := w.merge(t, from, into)
	require.Equal(t, [4]string{"heir", "subject", "lead", "ann"}, [4]string{c.Title, c.Subject, c.LeadID, c.Assignee}, "what it lacks it takes over")
	require.Empty(t, c.ExternalKey, "a key names what it was given to")
	states, err := w.mine.States().List(t.Context(), place(into), store.StateFilter{})
	require.NoError(t, err)
	values := map[string]string{}
	for _, s := range states {
		values[s.Key] = string(s.Value)
	}
	require.Equal(t, map[string]string{"both": "heir", "own": "from"}, values)
	for _, label := range []string{"both", "heir", "mine"} {
		require.Len(t, w.listed(t, store.ConversationFilter{Labels: []string{label}}), 1, label)
	}
	n := w.counts(t)
	require.Equal(t, [2]int64{3, 2}, [2]int64{n.Labels, n.States}, "nothing stays with the row that is left")
	_, err = cs.GetByExternalKey(t.Context(), "key")
	mergedInto(t, err, from.ID, into.ID)
	same := &conversation.Conversation{ExternalKey: "key"}
	_, err = cs.GetOrCreate(t.Context(), same)
	require.ErrorIs(t, err, store.ErrConflict)
	require.Equal(t, &into.ID, same.MergedIntoID)
}

// testMergeReads: a mark never moves over a message that its reader has not read.
func testMergeReads(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	into, from := w.thread(t, 2), w.mailed(t, at(10, "x"), at(11, "y"), at(12, "z"))
	for reader, seqs := range map[string][2]int64{"all": {2, 3}, "some": {2, 2}, "behind": {1, 3}, "there": {2, 0}, "here": {0, 3}} {
		for i, c := range []*conversation.Conversation{into, from} {
			if seqs[i] > 0 {
				must[*conversation.Read](t)(cs.MarkRead(t.Context(), c.ID, reader, seqs[i]))
			}
		}
	}
	c := w.merge(t, from, into)
	for reader, want := range map[string]int64{"all": 5, "some": 4, "behind": 1, "there": 2} {
		read, err := cs.MarkRead(t.Context(), c.ID, reader, 0)
		require.NoError(t, err)
		require.Equal(t, want, read.Seq, reader)
	}
	require.Equal(t, int64(4), w.counts(t).Reads, "who had read nothing of the heir has read nothing of it now")
}

func testMergeSuggestions(t *testing.T, w *world) {
	into := w.thread(t, 2)
	from := w.mailed(t, at(10, "x"), at(12, "z"), at(11, "y"))
	ss := w.mine.Suggestions()
	draft := &suggestion.Suggestion{ConversationID: from.ID, SuggestedContent: "draft", AnswersSeq: 2}
	require.NoError(t, ss.Create(t.Context(), draft))
	sent := w.suggest(t, from, nil)
	must[*suggestion.Suggestion](t)(ss.Approve(t.Context(), sent.ID, suggestion.Review{By: "ann"}))
	reply := w.append(t, from, &message.Message{Direction: message.DirectionOutbound, Content: "draft"})
	require.NoError(t, w.st.DB(t.Context()).Model(sent).Update("sent_message_id", reply.ID).Error)
	c := w.merge(t, from, into)
	got := w.suggestion(t, draft.ID)
	require.Equal(t, c.ID, got.ConversationID)
	require.Equal(t, int64(6), got.AnswersSeq, "z is there now")
	require.Equal(t, c.ID, w.suggestion(t, sent.ID).ConversationID)
	require.Equal(t, reply.ID, *w.suggestion(t, sent.ID).SentMessageID)
	page, err := ss.ListByConversation(t.Context(), c.ID, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 2)
	_, err = ss.ListByConversation(t.Context(), from.ID, store.PageRequest{})
	mergedInto(t, err, from.ID, c.ID)
}

// testMergeFollows: what hangs on a message stays with it.
func testMergeFollows(t *testing.T, w *world) {
	into := w.thread(t, 1)
	out := at(10, "needle")
	out.Direction, out.Role = message.DirectionOutbound, message.RoleAssistant
	from := w.mailed(t, out)
	must[*message.Vote](t)(w.mine.Messages().Vote(t.Context(), out.ID, message.Vote{Voter: "ann", Value: message.VoteUp}))
	w.embed(t, out, "model")
	require.NoError(t, w.mine.Deliveries().Enqueue(t.Context(), &message.OutboxEntry{MessageID: out.ID, Channel: "mail"}))
	require.NoError(t, w.mine.Summaries().Create(t.Context(), &conversation.Summary{ConversationID: from.ID, FromSeq: 1, ToSeq: 1, Content: "of from"}))
	require.NoError(t, w.mine.Summaries().Create(t.Context(), &conversation.Summary{ConversationID: into.ID, FromSeq: 1, ToSeq: 1, Content: "of into"}))
	c := w.merge(t, from, into)
	votes, err := w.mine.Messages().Votes(t.Context(), out.ID)
	require.NoError(t, err)
	require.Len(t, votes, 1)
	var vector message.Embedding
	require.NoError(t, w.st.DB(t.Context()).Take(&vector, "message_id = ?", out.ID).Error)
	require.Equal(t, c.ID, vector.ConversationID)
	entries, err := w.mine.Deliveries().Claim(t.Context(), store.ClaimOptions{Worker: "worker"})
	require.NoError(t, err)
	require.Len(t, entries, 1)
	require.Equal(t, c.ID, entries[0].Message.ConversationID)
	must[*message.OutboxEntry](t)(w.mine.Deliveries().Done(t.Context(), entries[0].Entry.ID, "worker", store.DeliveryResult{}))
	require.Equal(t, message.DeliverySent, w.message(t, out.ID).Delivery)
	summaries, err := w.mine.Summaries().List(t.Context(), c.ID)
	require.NoError(t, err)
	require.Len(t, summaries, 1)
	require.Equal(t, "of into", summaries[0].Content)
	require.Nil(t, summaries[0].VoidAt, "what it covers is as it was")
	page, err := w.mine.Search().Messages(t.Context(), "needle", store.TextOptions{}, store.PageRequest{})
	require.NoError(t, err)
	require.Len(t, page.Items, 1)
	require.Equal(t, c.ID, page.Items[0].Message.ConversationID)
	require.Equal(t, c.ID, page.Items[0].Conversation.ID)
}

func testMergeStatus(t *testing.T, w *world) {
	w.clock.add(time.Hour)
	outbound := func(seconds int) *message.Message {
		m := at(seconds, "out")
		m.Direction, m.Role = message.DirectionOutbound, message.RoleAssistant
		return m
	}
	into, from := w.mailed(t, at(10, "in"), outbound(40)), w.mailed(t, at(20, "in"))
	require.Equal(t, conversation.StatusWaiting, w.merge(t, from, into).Status, "their last message is older than our answer")
	into, from = w.mailed(t, outbound(30)), w.mailed(t, at(50, "in"))
	c := w.merge(t, from, into)
	require.Equal(t, conversation.StatusNeedsReply, c.Status)
	archived := w.mailed(t, at(1, "in"))
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), archived.ID))
	c = w.merge(t, archived, c)
	require.Equal(t, conversation.StatusNeedsReply, c.Status, "an archived one is merged into an open one")
	archived = w.mailed(t, outbound(1))
	must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), archived.ID))
	c = w.merge(t, c, archived)
	require.Equal(t, conversation.StatusNeedsReply, c.Status, "and an open one into an archived one")
	both := w.mailed(t, at(1, "in"))
	for _, c := range []*conversation.Conversation{both, c} {
		must[*conversation.Conversation](t)(w.mine.Conversations().Archive(t.Context(), c.ID))
	}
	require.Equal(t, conversation.StatusArchived, w.merge(t, both, c).Status)
}

func testMergeRefuses(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	merge := func(from, into uuid.UUID) error {
		_, err := cs.Merge(t.Context(), from, into, store.MoveOptions{})
		return err
	}
	a, b := w.create(t, &conversation.Conversation{LeadID: "1"}), w.create(t, &conversation.Conversation{LeadID: "2"})
	w.append(t, a, text("a"))
	deleted := w.conversation(t)
	w.delete(t, deleted)
	foreign := &conversation.Conversation{UserID: uuid.New()}
	require.NoError(t, w.st.AllUsers().Conversations().Create(t.Context(), foreign))
	w.unchanged(t, func() {
		invalid(t, merge(a.ID, a.ID), "into")
		invalid(t, merge(a.ID, b.ID), "into")
		for _, other := range []uuid.UUID{uuid.New(), deleted.ID, foreign.ID} {
			require.ErrorIs(t, merge(a.ID, other), store.ErrNotFound)
			require.ErrorIs(t, merge(other, a.ID), store.ErrNotFound)
		}
		_, err := w.st.AllUsers().Conversations().Merge(t.Context(), a.ID, foreign.ID, store.MoveOptions{AcrossLeads: true})
		require.ErrorIs(t, err, store.ErrNotFound, "tenants never mix")
	})
	require.Equal(t, []string{"a"}, w.messages(t, a))
	c, err := cs.Merge(t.Context(), a.ID, b.ID, store.MoveOptions{AcrossLeads: true})
	require.NoError(t, err)
	require.Equal(t, "2", c.LeadID)
}

func testMergeChain(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	a, b, c := w.mailed(t, at(1, "a")), w.mailed(t, at(2, "b")), w.mailed(t, at(3, "c"))
	w.merge(t, a, b)
	w.merge(t, b, c)
	require.Equal(t, []string{"c", "a", "b"}, w.messages(t, c))
	for _, old := range []*conversation.Conversation{a, b} {
		_, err := cs.Get(t.Context(), old.ID)
		mergedInto(t, err, old.ID, c.ID)
		_, err = cs.Restore(t.Context(), old.ID)
		mergedInto(t, err, old.ID, c.ID)
		_, err = cs.Merge(t.Context(), old.ID, w.conversation(t).ID, store.MoveOptions{})
		mergedInto(t, err, old.ID, c.ID)
		_, err = cs.Merge(t.Context(), c.ID, old.ID, store.MoveOptions{})
		mergedInto(t, err, old.ID, c.ID)
	}
	w.delete(t, c)
	_, err := cs.Get(t.Context(), a.ID)
	mergedInto(t, err, a.ID, c.ID)
	must[*conversation.Conversation](t)(cs.Restore(t.Context(), c.ID))
	require.Equal(t, []string{"c", "a", "b"}, w.messages(t, c))
}

// testMergeHold: what was on hold stays on hold with its heir.
func testMergeHold(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	into, from := w.thread(t, 1), w.thread(t, 1)
	must[*conversation.Conversation](t)(cs.Hold(t.Context(), from.ID))
	require.True(t, w.merge(t, from, into).Held())
	_, err := cs.Release(t.Context(), from.ID)
	mergedInto(t, err, from.ID, into.ID)
	must[*conversation.Conversation](t)(cs.Release(t.Context(), into.ID))
	require.False(t, w.get(t, into.ID).Held())
	left := w.listed(t, store.ConversationFilter{Deleted: store.OnlyDeleted})
	require.False(t, left[0].Held(), "nobody would release it")
}

// testMergeErase: with the heir everything of those that were merged into it is erased.
func testMergeErase(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	a, b, c := w.mailed(t, at(1, "a")), w.mailed(t, at(2, "b")), w.mailed(t, at(3, "c"))
	w.merge(t, a, b)
	_, err := cs.Erase(t.Context(), a.ID)
	mergedInto(t, err, a.ID, b.ID)
	require.Equal(t, []string{"b", "a"}, w.messages(t, b), "nothing is erased through the id of one that was merged")
	w.merge(t, b, c)
	counts, err := cs.Erase(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, [2]int64{3, 3}, [2]int64{counts.Conversations, counts.Messages})
	require.Zero(t, w.counts(t).Total())
	_, err = cs.Get(t.Context(), a.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NotErrorAs(t, err, new(*store.MergedError), "no pointer is left that points to nothing")
}

// testMergeUndone: a merge in a transaction that is undone has not been.
func testMergeUndone(t *testing.T, w *world) {
	into, from := w.mailed(t, at(1, "a")), w.mailed(t, at(2, "b"))
	before := dump(t, w.st, w.user)
	err := w.st.Transaction(t.Context(), func(tx store.Store) error {
		_, err := tx.ForUser(w.user).Conversations().Merge(t.Context(), from.ID, into.ID, store.MoveOptions{})
		require.NoError(t, err)
		_, err = tx.ForUser(w.user).Messages().Append(t.Context(), from.ID, text("x"))
		mergedInto(t, err, from.ID, into.ID)
		return errUndo
	})
	require.ErrorIs(t, err, errUndo)
	require.Equal(t, before, dump(t, w.st, w.user))
}

// testMergeSnooze: what waits in the queue does not leave it because the heir is put off.
func testMergeSnooze(t *testing.T, w *world) {
	cs := w.mine.Conversations()
	snoozed := func(c *conversation.Conversation) *conversation.Conversation {
		c, err := cs.Snooze(t.Context(), c.ID, w.clock.Now().Add(time.Hour))
		require.NoError(t, err)
		return c
	}
	queue := store.ConversationFilter{Statuses: []conversation.Status{conversation.StatusNeedsReply}}
	c := w.merge(t, w.asked(t), snoozed(w.asked(t)))
	require.Nil(t, c.SnoozedUntil)
	require.Len(t, w.listed(t, queue), 1)
	require.NotNil(t, w.merge(t, snoozed(w.asked(t)), snoozed(w.asked(t))).SnoozedUntil, "both are put off")
	require.NotNil(t, w.merge(t, w.conversation(t), snoozed(w.asked(t))).SnoozedUntil, "nobody waits for an answer")
	require.Nil(t, w.merge(t, snoozed(w.asked(t)), w.asked(t)).SnoozedUntil)
	require.Len(t, w.listed(t, queue), 2)
}
