package storetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// runConcurrency checks what concurrent callers may rely on: no lost write, no gap in seq, no
// second winner of a decision, no row without its parent.
func runConcurrency(t *testing.T, f Factory, c Capabilities) {
	tests := map[string]func(*testing.T, store.Store){
		"appends":                     c.appendsAtOnce,
		"errors among appends":        errorsAmongAppends,
		"decisions":                   decisionsAtOnce,
		"one provider id":             providerIDAtOnce,
		"one provider id, many rooms": providerIDAcrossConversations,
		"one idempotency key":         idempotencyKeyAtOnce,
		"append and delete":           appendsAgainstDelete,
		"append and erase":            appendsAgainstErase,
		"append and erase user":       appendsAgainstEraseUser,
		"append and archive":          appendsAgainstArchive,
		"append and create again":     appendsAgainstCreateAgain,
		"get or create":               getOrCreateAtOnce,
		"merge metadata":              mergeAtOnce,
		"assign":                      assignAtOnce,
		"expected seq":                expectedSeqAtOnce,
		"states":                      c.statesAtOnce,
		"expected version":            expectedVersionAtOnce,
		"merge states and erase":      mergesAgainstErase,
		"retain":                      retainAtOnce,
		"append and retain":           appendsAgainstRetain,
		"claims":                      claimsAtOnce,
		"file":                        filingsAtOnce,
		"file a thread":               threadsAtOnce,
		"done and fail":               reportsAtOnce,
		"enqueue":                     enqueuesAtOnce,
		"append and merge":            appendsAgainstMerge,
		"send and merge":              sendsAgainstMerge,
		"append and merge drafts":     mergesOfDraftsAgainstAppends,
		"merge both ways":             mergesBothWays,
		"merges":                      mergesOfMany,
		"move and edit":               movesAgainstEdits,
		"append and approve":          appendsAgainstApprove,
		"append and approve, send":    appendsAgainstSend,
		"append and suggest":          appendsAgainstSuggest,
		"drafts":                      draftsAtOnce,
	}
	maps.Copy(tests, sendsAtOnce())
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, f(t)) })
	}
}

// CheckConversation fails the test unless the conversation's messages are numbered 1, 2,
// 3 … and its seq, activity and status follow from them. An archived one passes as well.
// It returns the messages, deleted ones included.
func CheckConversation(tb testing.TB, s store.Scope, id uuid.UUID) []*message.Message {
	tb.Helper()
	c, err := s.Conversations().Get(tb.Context(), id)
	require.NoError(tb, err)
	want, active, turnAt := conversation.Conversation{Status: conversation.StatusActive, LastMessageAt: c.CreatedAt}, false, time.Time{}
	var ms []*message.Message
	for m, err := range s.Messages().All(tb.Context(), id, store.MessageFilter{Deleted: store.IncludeDeleted, Branches: store.AllBranches}) {
		require.NoError(tb, err)
		ms = append(ms, m)
		require.EqualValues(tb, len(ms), m.Seq, "a gap or a tie in conversation %s", id)
		require.Equal(tb, c.UserID, m.UserID)
		if m.Deleted() || !m.Kind.Counts() {
			continue
		}
		if at := m.OrderedAt(); !active || at.After(want.LastMessageAt) {
			want.LastMessageAt, active = at, true
		}
		if next := conversation.Status("").AfterMessage(m); next != "" && !m.OrderedAt().Before(turnAt) {
			want.Status, turnAt = next, m.OrderedAt()
		}
	}
	assert.EqualValues(tb, len(ms), c.LastSeq, "last_seq")
	assert.WithinDuration(tb, want.LastMessageAt, c.LastMessageAt, 0, "last_message_at")
	if c.Status != conversation.StatusArchived {
		assert.Equal(tb, want.Status, c.Status, "status")
	}
	return ms
}

// together runs fn n times at once and returns what each of them returned.
func together(n int, fn func(i int) error) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			errs[i] = fn(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// newThread makes a conversation with some inbound messages.
func newThread(tb testing.TB, s store.Scope, messages int) *conversation.Conversation {
	tb.Helper()
	c := &conversation.Conversation{Subject: "thread"}
	require.NoError(tb, s.Conversations().Create(tb.Context(), c))
	for i := range messages {
		appended(tb, s, c.ID, inbound(fmt.Sprintf("message %d", i+1)))
	}
	return c
}

func inbound(content string) *message.Message {
	return &message.Message{Direction: message.DirectionInbound, Content: content}
}

func appended(tb testing.TB, s store.Scope, id uuid.UUID, m *message.Message) {
	tb.Helper()
	created, err := s.Messages().Append(tb.Context(), id, m)
	require.NoError(tb, err)
	require.True(tb, created)
}

func noOrphans(tb testing.TB, st store.Store) {
	tb.Helper()
	orphans, err := st.AllUsers().Maintenance().Orphans(tb.Context())
	require.NoError(tb, err)
	assert.Zero(tb, orphans.Total(), "orphans: %+v", orphans)
}

func (c Capabilities) appendsAtOnce(t *testing.T, st store.Store) {
	const writers, threads = 64, 8
	total := 4000
	if !testrun.Full() || !c.whole || testrun.Race {
		total = 1000
	}
	mine := st.ForUser(uuid.New())
	var ids [threads]uuid.UUID
	for i := range ids {
		ids[i] = newThread(t, mine, 0).ID
	}
	var next atomic.Int64
	errs := together(writers, func(int) error {
		for n := next.Add(1); n <= int64(total); n = next.Add(1) {
			m := &message.Message{Content: fmt.Sprint(n), Direction: message.Directions()[n/threads%2]}
			created, err := mine.Messages().Append(t.Context(), ids[n%threads], m)
			if err != nil || !created {
				return fmt.Errorf("append %d: created %t: %w", n, created, err)
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	contents := map[string]bool{}
	for _, id := range ids {
		for _, m := range CheckConversation(t, mine, id) {
			contents[m.Content] = true
		}
	}
	assert.Len(t, contents, total)
}

// errorsAmongAppends has calls that fail in the midst of others that do not: each gets its own
// error and stores nothing, and takes none of the others along.
func errorsAmongAppends(t *testing.T, st store.Store) {
	const calls = 64
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	taken := CheckConversation(t, mine, c.ID)[0].ID
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	appendIt := func(ctx context.Context, id uuid.UUID, m *message.Message) error {
		_, err := mine.Messages().Append(ctx, id, m)
		return err
	}
	errs := together(calls, func(i int) error {
		switch i % 4 {
		case 1:
			return appendIt(ended, c.ID, inbound("cancelled"))
		case 2:
			return appendIt(t.Context(), uuid.New(), inbound("nowhere"))
		case 3:
			created, err := mine.Messages().Append(t.Context(), c.ID, &message.Message{ID: taken, Direction: message.DirectionInbound, Content: "taken"})
			if created {
				return errors.New("a taken id was created again")
			}
			return err
		}
		return appendIt(t.Context(), c.ID, inbound("kept"))
	})
	for i, err := range errs {
		switch i % 4 {
		case 1:
			require.ErrorIs(t, err, context.Canceled)
		case 2:
			require.ErrorIs(t, err, store.ErrNotFound)
		default:
			require.NoError(t, err, "call %d", i)
		}
	}
	kept := CheckConversation(t, mine, c.ID)
	require.Len(t, kept, 1+calls/4)
	for _, m := range kept[1:] {
		require.Equal(t, "kept", m.Content)
	}
}

func decisionsAtOnce(t *testing.T, st store.Store) {
	const people, drafts = 50, 20
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	var ids [drafts]uuid.UUID
	for i := range ids {
		s := &suggestion.Suggestion{ConversationID: c.ID, SuggestedContent: "draft"}
		require.NoError(t, mine.Suggestions().Create(t.Context(), s))
		ids[i] = s.ID
	}
	var winners [drafts]atomic.Int64
	var late atomic.Int64
	errs := together(people, func(person int) error {
		for i := range drafts {
			n := (i + person) % drafts
			err := decide(t.Context(), mine, ids[n], person)
			var lost *store.TransitionError
			switch {
			case err == nil:
				winners[n].Add(1)
			case errors.As(err, &lost) && suggestion.Status(lost.From).Sendable():
				late.Add(1)
			default:
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	for i := range winners {
		assert.EqualValues(t, 1, winners[i].Load(), "winners of suggestion %d", i)
	}
	assert.EqualValues(t, people*drafts-drafts, late.Load())
	sendAll(t, mine, c.ID, ids[:], people)
}

// decide lets every second reviewer edit, so that a loser who changed the row is noticed.
func decide(ctx context.Context, s store.Scope, id uuid.UUID, person int) error {
	r := suggestion.Review{By: fmt.Sprint(person)}
	if person%2 == 0 {
		_, err := s.Suggestions().Approve(ctx, id, r)
		return err
	}
	_, err := s.Suggestions().Edit(ctx, id, "text of "+r.By, r)
	return err
}

func sendAll(t *testing.T, mine store.Scope, conversationID uuid.UUID, ids []uuid.UUID, people int) {
	t.Helper()
	var sent atomic.Int64
	errs := together(people, func(person int) error {
		for i := range ids {
			created, err := mine.Suggestions().Send(t.Context(), ids[(i+person)%len(ids)], &message.Message{}, store.SendOptions{AllowSecond: true})
			if err != nil {
				return err
			}
			if created {
				sent.Add(1)
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, len(ids), sent.Load())
	ms := CheckConversation(t, mine, conversationID)
	assert.Len(t, ms, 1+len(ids), "one inbound and an outbound message for each suggestion")
	byID := map[uuid.UUID]*message.Message{}
	for _, m := range ms {
		byID[m.ID] = m
	}
	for _, id := range ids {
		s, err := mine.Suggestions().Get(t.Context(), id)
		require.NoError(t, err)
		require.NotNil(t, s.SentMessageID)
		require.Contains(t, byID, *s.SentMessageID)
		assert.Equal(t, s.FinalContent(), byID[*s.SentMessageID].Content)
		if s.Status == suggestion.StatusEdited {
			assert.Equal(t, "text of "+s.ReviewedBy, s.EditedContent)
		}
		delete(byID, *s.SentMessageID)
	}
}

func providerIDAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	deliverAtOnce(t, mine, []uuid.UUID{c.ID}, message.Message{GmailMessageID: "gmail-1"})
}

func providerIDAcrossConversations(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	var ids []uuid.UUID
	for range 5 {
		ids = append(ids, newThread(t, mine, 1).ID)
	}
	deliverAtOnce(t, mine, ids, message.Message{PostmarkMessageID: "postmark-1"})
}

func idempotencyKeyAtOnce(t *testing.T, st store.Store) {
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	deliverAtOnce(t, mine, []uuid.UUID{c.ID}, message.Message{IdempotencyKey: "key-1"})
}

// deliverAtOnce delivers the same message a hundred times concurrently, each time followed by
// another new message, so that a seq taken by a redelivery would show as a gap.
func deliverAtOnce(t *testing.T, mine store.Scope, ids []uuid.UUID, m message.Message) {
	t.Helper()
	const times = 100
	var created atomic.Int64
	var stored [times]uuid.UUID
	m.Direction, m.Content = message.DirectionInbound, "delivered"
	errs := together(times, func(i int) error {
		copied := m
		id := ids[i%len(ids)]
		ok, err := mine.Messages().Append(t.Context(), id, &copied)
		if err != nil {
			return err
		}
		if ok {
			created.Add(1)
		}
		stored[i] = copied.ID
		_, err = mine.Messages().Append(t.Context(), id, inbound("other"))
		return err
	})
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, 1, created.Load(), "deliveries that were new")
	var rows, others int
	for _, id := range ids {
		for _, got := range CheckConversation(t, mine, id) {
			switch got.Content {
			case "delivered":
				rows++
				assert.Equal(t, stored[0], got.ID)
			case "other":
				others++
			}
		}
	}
	assert.Equal(t, 1, rows)
	assert.Equal(t, times, others)
	for _, id := range &stored {
		assert.Equal(t, stored[0], id, "every caller gets the stored row")
	}
}

// race appends to the conversations from several goroutines until they are gone, while
// remove runs once. It returns how many appends were acknowledged for each conversation.
func race(t *testing.T, mine store.Scope, ids []uuid.UUID, remove func() error) []int64 {
	t.Helper()
	const writers = 8
	counts := make([]atomic.Int64, len(ids))
	removed := make(chan struct{})
	var warm sync.WaitGroup
	warm.Add(writers)
	errs := together(writers+1, func(w int) error {
		if w == writers {
			warm.Wait()
			defer close(removed)
			return remove()
		}
		return appendUntilGone(t.Context(), mine, ids, w, counts, warm.Done, removed)
	})
	require.NoError(t, errors.Join(errs...))
	acknowledged := make([]int64, len(ids))
	for i := range counts {
		acknowledged[i] = counts[i].Load()
	}
	return acknowledged
}

// appendUntilGone appends a bounded number of times, and once more after the removal
// returned: that one must find nothing.
func appendUntilGone(
	ctx context.Context, mine store.Scope, ids []uuid.UUID, at int,
	counts []atomic.Int64, first func(), removed <-chan struct{},
) error {
	const most = 200
	for n := range most {
		i := (at + n) % len(ids)
		_, err := mine.Messages().Append(ctx, ids[i], inbound("race"))
		if n == 0 {
			first()
		}
		if errors.Is(err, store.ErrNotFound) {
			break
		}
		if err != nil {
			return err
		}
		counts[i].Add(1)
	}
	<-removed
	created, err := mine.Messages().Append(ctx, ids[at%len(ids)], inbound("late"))
	if !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("append to a removed conversation: created %t, error %w", created, err)
	}
	return nil
}

func appendsAgainstDelete(t *testing.T, st store.Store) {
	for range 5 {
		mine := st.ForUser(uuid.New())
		c := newThread(t, mine, 1)
		counts := race(t, mine, []uuid.UUID{c.ID}, func() error {
			_, err := mine.Conversations().Delete(t.Context(), c.ID)
			return err
		})
		_, err := mine.Messages().Append(t.Context(), c.ID, inbound("late"))
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = mine.Conversations().Restore(t.Context(), c.ID)
		require.NoError(t, err)
		assert.Len(t, CheckConversation(t, mine, c.ID), 1+int(counts[0]), "as many as were acknowledged")
	}
	noOrphans(t, st)
}

func appendsAgainstErase(t *testing.T, st store.Store) {
	for range 5 {
		mine := st.ForUser(uuid.New())
		c := newThread(t, mine, 1)
		var erased store.Counts
		counts := race(t, mine, []uuid.UUID{c.ID}, func() (err error) {
			erased, err = mine.Conversations().Erase(t.Context(), c.ID)
			return err
		})
		assert.Equal(t, store.Counts{Conversations: 1, Messages: 1 + counts[0]}, erased)
		left, err := mine.Maintenance().Counts(t.Context())
		require.NoError(t, err)
		assert.Zero(t, left)
	}
	noOrphans(t, st)
}

func appendsAgainstEraseUser(t *testing.T, st store.Store) {
	for range 5 {
		mine := st.ForUser(uuid.New())
		ids := []uuid.UUID{newThread(t, mine, 1).ID, newThread(t, mine, 1).ID, newThread(t, mine, 1).ID}
		var erased store.Counts
		counts := race(t, mine, ids, func() (err error) {
			erased, err = mine.Maintenance().EraseUser(t.Context())
			return err
		})
		assert.EqualValues(t, 3, erased.Conversations)
		assert.Equal(t, 3+counts[0]+counts[1]+counts[2], erased.Messages)
		left, err := mine.Maintenance().Counts(t.Context())
		require.NoError(t, err)
		assert.Zero(t, left)
	}
	noOrphans(t, st)
}

func appendsAgainstArchive(t *testing.T, st store.Store) {
	const writers, each = 8, 20
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 0)
	errs := together(2*writers, func(i int) error {
		for range each {
			var err error
			if i < writers {
				_, err = mine.Messages().Append(t.Context(), c.ID, inbound("race"))
			} else {
				_, err = mine.Conversations().Archive(t.Context(), c.ID)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	require.NoError(t, errors.Join(errs...))
	assert.Len(t, CheckConversation(t, mine, c.ID), writers*each)
	appended(t, mine, c.ID, inbound("reopens"))
	got, err := mine.Conversations().Get(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Equal(t, conversation.StatusNeedsReply, got.Status)
}

func getOrCreateAtOnce(t *testing.T, st store.Store) {
	const callers = 50
	mine := st.ForUser(uuid.New())
	var created atomic.Int64
	var ids [callers]uuid.UUID
	errs := together(callers, func(i int) error {
		c := &conversation.Conversation{ExternalKey: "room", Subject: fmt.Sprint(i)}
		ok, err := mine.Conversations().GetOrCreate(t.Context(), c)
		if ok {
			created.Add(1)
		}
		ids[i] = c.ID
		return err
	})
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, 1, created.Load())
	for _, id := range &ids {
		assert.Equal(t, ids[0], id)
	}
	counts, err := mine.Maintenance().Counts(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, counts.Conversations)
}

func expectedSeqAtOnce(t *testing.T, st store.Store) {
	const callers = 20
	mine := st.ForUser(uuid.New())
	c := newThread(t, mine, 1)
	var lost atomic.Int64
	errs := together(callers, func(i int) error {
		ms := []*message.Message{inbound(fmt.Sprint(i))}
		_, err := mine.Messages().AppendMany(t.Context(), c.ID, ms, store.AppendOptions{ExpectedSeq: new(int64(1))})
		var conflict *store.SeqConflictError
		if errors.As(err, &conflict) && conflict.Expected == 1 && conflict.Actual == 2 {
			lost.Add(1)
			return nil
		}
		return err
	})
	require.NoError(t, errors.Join(errs...))
	assert.EqualValues(t, callers-1, lost.Load())
	assert.Len(t, CheckConversation(t, mine, c.ID), 2)
}

// appendsAgainstCreateAgain creates the conversation of an append between the statement that
// does not find it and the one that looks for the cause. It also erases the message whose key
// was taken.
func appendsAgainstCreateAgain(t *testing.T, st store.Store) {
	ctx, user := t.Context(), uuid.New()
	rec := &Recorder{}
	recorded, err := convostore.New(ctx, rec.Wrap(st.DB(ctx)))
	require.NoError(t, err)
	mine, theirs := recorded.ForUser(user), st.ForUser(user)
	newThread(t, mine, 1) // the schema has been checked
	for _, key := range []string{"", "key"} {
		c := &conversation.Conversation{ID: uuid.New()}
		rec.before = func(sql string) {
			// The first question after the append, which writes.
			if strings.HasPrefix(sql, "SELECT") && !strings.Contains(sql, "FOR NO KEY UPDATE") {
				rec.before = nil
				require.NoError(t, theirs.Conversations().Create(ctx, c))
			}
		}
		m := &message.Message{Role: message.RoleUser, Content: "late", IdempotencyKey: key}
		created, err := mine.Messages().Append(ctx, c.ID, m)
		require.NoError(t, err, "with key %q", key)
		require.Nil(t, rec.before, "the conversation was made meanwhile")
		require.True(t, created)
		require.Len(t, CheckConversation(t, theirs, c.ID), 1)
	}
	c := newThread(t, theirs, 0)
	keyed := func() *message.Message { return &message.Message{Role: message.RoleUser, GmailMessageID: "g"} }
	elsewhere := newThread(t, theirs, 0)
	must[bool](t)(theirs.Messages().Append(ctx, elsewhere.ID, keyed()))
	rec.before = func(sql string) {
		if strings.HasPrefix(sql, "SELECT") {
			rec.before = nil
			must[store.Counts](t)(theirs.Conversations().Erase(ctx, elsewhere.ID))
		}
	}
	created, err := mine.Messages().Append(ctx, c.ID, keyed())
	require.NoError(t, err)
	require.Nil(t, rec.before, "the message was erased meanwhile")
	require.True(t, created)
	require.Len(t, CheckConversation(t, theirs, c.ID), 1)
}
