package engine_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// statusModel is the plain rule: all messages of a conversation without branches, by their seq.
type statusModel struct {
	created time.Time
	ms      []*message.Message
	status  conversation.Status
}

// latest returns the activity, and the latest turn, nil if there is none.
func (m *statusModel) latest() (at time.Time, turn *message.Message) {
	at, active := m.created, false
	for _, x := range m.ms {
		if x.Deleted() || x.Kind != message.KindMessage {
			continue
		}
		if !active || x.SentAt.After(at) {
			at, active = x.SentAt, true
		}
		if x.Direction != "" && x.State != message.StateFailed && (turn == nil || !x.SentAt.Before(turn.SentAt)) {
			turn = x
		}
	}
	return at, turn
}

// moves gives the status of the latest turn if it is one of those that are new.
func (m *statusModel) moves(isNew func(*message.Message) bool) {
	if _, turn := m.latest(); turn != nil && isNew(turn) {
		m.status = m.of(turn)
	}
}

// of is the status after a turn, active without one.
func (*statusModel) of(turn *message.Message) conversation.Status {
	if turn == nil {
		return conversation.StatusActive
	}
	return conversation.StatusActive.After(turn.Direction)
}

func (m *statusModel) keepArchived(status conversation.Status) {
	if m.status != conversation.StatusArchived {
		m.status = status
	}
}

// statusWalk takes random steps through a conversation and its model.
type statusWalk struct {
	rand  *rand.Rand
	st    store.Store
	mine  store.Scope
	user  uuid.UUID
	id    uuid.UUID
	m     *statusModel
	trail []string
}

// TestStatusRandom compares status and activity after random steps with the plain rule: messages of all
// kinds, sent at any time and appended in every way, deleted, restored and cut off.
func TestStatusRandom(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testrun.Full() {
		rounds = 150
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		seed := rand.Uint64()
		w := &statusWalk{rand: rand.New(rand.NewPCG(seed, 1)), st: st, user: uuid.New()}
		w.mine = st.ForUser(w.user)
		defer func() {
			if t.Failed() {
				t.Logf("seed %d, after %q", seed, w.trail)
			}
		}()
		for range rounds {
			w.begin(t)
			for range 30 {
				w.step(t)
				w.check(t)
			}
		}
	})
}

// at is one of a few times, so that some are equal.
func (w *statusWalk) at() time.Time {
	return time.Date(2026, 1, 1, 10+w.rand.IntN(8), 0, 0, 0, time.UTC)
}

func (w *statusWalk) message() *message.Message {
	m := &message.Message{
		Role: []message.Role{message.RoleUser, message.RoleAssistant, message.RoleSystem}[w.rand.IntN(3)],
		Kind: message.KindMessage, State: message.StateComplete, Content: "a", SentAt: w.at(),
	}
	if w.rand.IntN(3) == 0 {
		m.Kind = message.Kinds()[w.rand.IntN(len(message.Kinds()))]
	}
	if w.rand.IntN(10) == 0 {
		m.State = message.StateFailed
	}
	if w.rand.IntN(3) == 0 {
		m.IdempotencyKey = uuid.NewString()
	}
	return m
}

func (w *statusWalk) messages() []*message.Message {
	ms := make([]*message.Message, 1+w.rand.IntN(3))
	for i := range ms {
		ms[i] = w.message()
	}
	return ms
}

func (w *statusWalk) begin(t *testing.T) {
	t.Helper()
	c := &conversation.Conversation{CreatedAt: w.at(), UserID: w.user}
	w.trail = nil
	w.m = &statusModel{created: c.CreatedAt, status: conversation.StatusActive}
	switch w.rand.IntN(3) {
	case 0:
		c.Messages = w.messages()
	case 1:
		c.ID = uuid.New()
		c.Normalize(message.Now())
		for _, m := range w.messages() {
			require.NoError(t, c.AddMessage(m))
		}
		require.NoError(t, w.st.DB(t.Context()).Transaction(func(tx *gorm.DB) error { return tx.Create(c).Error }))
		w.id = c.ID
		w.added(c.Messages)
		w.check(t)
		return
	}
	require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
	w.id = c.ID
	w.added(c.Messages)
	w.check(t)
}

func (w *statusWalk) added(ms []*message.Message) {
	first := len(w.m.ms)
	for _, m := range ms {
		copied := *m
		copied.Seq = int64(len(w.m.ms)) + 1
		w.m.ms = append(w.m.ms, &copied)
	}
	w.m.moves(func(m *message.Message) bool { return m.Seq > int64(first) })
}

func (w *statusWalk) step(t *testing.T) {
	t.Helper()
	ctx, msgs := t.Context(), w.mine.Messages()
	what := w.rand.IntN(12)
	w.trail = append(w.trail, fmt.Sprint(what))
	switch what {
	case 0, 1, 2:
		m := w.message()
		_, err := msgs.Append(ctx, w.id, m)
		require.NoError(t, err)
		w.added([]*message.Message{m})
	case 3, 4:
		ms := w.messages()
		_, err := msgs.AppendMany(ctx, w.id, ms, store.AppendOptions{})
		require.NoError(t, err)
		w.added(ms)
	case 5, 6:
		ms := w.messages()
		for _, m := range ms {
			m.ConversationID, m.UserID = w.id, w.user
		}
		require.NoError(t, w.st.DB(ctx).Transaction(func(tx *gorm.DB) error { return tx.Create(&ms).Error }))
		w.added(ms)
	case 7, 8:
		w.deleteOrRestore(t)
	case 9:
		_, err := w.mine.Conversations().Archive(ctx, w.id)
		require.NoError(t, err)
		w.m.status = conversation.StatusArchived
	case 10:
		_, err := w.mine.Conversations().Reopen(ctx, w.id)
		require.NoError(t, err)
		w.m.status = w.m.status.Reopened()
	case 11:
		n, err := msgs.RestoreAll(ctx, w.id)
		require.NoError(t, err)
		for _, m := range w.m.ms {
			m.DeletedAt = gorm.DeletedAt{}
		}
		if _, turn := w.m.latest(); n > 0 {
			w.m.keepArchived(w.m.of(turn))
		}
	}
}

func (w *statusWalk) deleteOrRestore(t *testing.T) {
	t.Helper()
	if len(w.m.ms) == 0 {
		return
	}
	m := w.m.ms[w.rand.IntN(len(w.m.ms))]
	if m.Deleted() {
		_, err := w.mine.Messages().Restore(t.Context(), m.ID)
		require.NoError(t, err)
		m.DeletedAt = gorm.DeletedAt{}
		if _, turn := w.m.latest(); turn == m {
			w.m.keepArchived(w.m.of(m))
		}
		return
	}
	_, was := w.m.latest()
	_, err := w.mine.Messages().Delete(t.Context(), m.ID)
	require.NoError(t, err)
	m.DeletedAt = gorm.DeletedAt{Valid: true, Time: w.m.created}
	if was == m {
		_, turn := w.m.latest()
		w.m.keepArchived(w.m.of(turn))
	}
}

func (w *statusWalk) check(t *testing.T) {
	t.Helper()
	c, err := w.mine.Conversations().Get(t.Context(), w.id)
	require.NoError(t, err)
	at, _ := w.m.latest()
	require.EqualValues(t, len(w.m.ms), c.LastSeq)
	require.Equal(t, w.m.status, c.Status)
	require.WithinDuration(t, at, c.LastMessageAt, 0)
}
