package transfer_test

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// models has a row of every model.
func models() []any {
	return []any{
		&conversation.Conversation{}, &message.Message{}, &suggestion.Suggestion{}, &message.Embedding{}, &message.Ref{}, &message.Vote{},
		&message.OutboxEntry{}, &conversation.Label{}, &conversation.Read{}, &conversation.State{}, &conversation.UserState{},
		&conversation.AppState{}, &conversation.Summary{},
	}
}

func columnsOf(t testing.TB, db *gorm.DB, model any) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(model, &sync.Map{}, db.NamingStrategy)
	require.NoError(t, err)
	return s
}

// world is a database in which every column of every model has a value somewhere.
type world struct {
	testing.TB
	db *gorm.DB
	n  int // of the last value that was made up
}

const vectorSize = 3

// fill gives every column that is not set a value of its own, those excepted that are named.
func (w *world) fill(model any, except ...string) {
	w.Helper()
	v := reflect.ValueOf(model).Elem()
	for _, f := range columnsOf(w, w.db, model).Fields {
		_, zero := f.ValueOf(w.Context(), v)
		if f.DBName == "" || f.DBName == "deleted_at" || !zero || slices.Contains(except, f.DBName) {
			continue
		}
		w.n++
		require.NoError(w, f.Set(w.Context(), v, w.value(f)), f.Name)
	}
}

func (w *world) value(f *schema.Field) any {
	at := time.Date(2026, 3, 1, 0, 0, w.n, 123456000, time.UTC)
	switch reflect.Zero(f.FieldType).Interface().(type) {
	case string:
		return fmt.Sprintf("%s %d é", f.DBName, w.n)
	case int, int64, *int64:
		return w.n
	case bool:
		return true
	case *float64:
		return 0.25
	case time.Time, *time.Time:
		return at
	case uuid.UUID, *uuid.UUID:
		return uuid.New()
	case decimal.Decimal:
		return decimal.RequireFromString("0.1200")
	case message.JSON:
		return message.JSON(fmt.Sprintf(`{"z": 1.50, "a": [-0, 1e3, "\u00e9 \u2028"], "n": %d, "a2": null, "a": [1E+2]}`, w.n))
	case message.Payload:
		return message.Payload(fmt.Sprintf("{\"b\": 1.0,\x00 \"a\":\xff %d}", w.n))
	case message.Headers:
		return message.Headers{"X-B": {"2", "3"}, "X-A": {"1"}}
	case message.Attachments:
		return message.Attachments{{Filename: "a.pdf", ContentType: "application/pdf", Size: 7, ContentID: "c", Inline: true, URL: "u", Key: "k", Checksum: "s"}}
	case message.Vector:
		return message.Vector{1, float32(w.n), 0.1}
	case conversation.Value:
		return conversation.Value(fmt.Sprintf("v%d\x00\xff", w.n))
	case message.Kind:
		return message.KindNote
	case message.State:
		return message.StateFailed
	case message.Delivery:
		return message.DeliveryBounced
	case message.Role:
		return message.RoleAssistant
	case message.Direction:
		return message.DirectionOutbound
	case conversation.Status:
		return conversation.StatusArchived
	case suggestion.Status:
		return suggestion.StatusEdited
	}
	require.Fail(w, "no value for the column "+f.DBName+" of type "+f.FieldType.String())
	return nil
}

// put stores rows as they are: no hook moves another row.
func (w *world) put(rows ...any) {
	w.Helper()
	for _, row := range rows {
		require.NoError(w, w.db.Session(&gorm.Session{SkipHooks: true}).Omit(clause.Associations).Create(row).Error, "%T", row)
	}
}

// newWorld fills the database of a store with the rows of two users.
func newWorld(t testing.TB, st store.Store) {
	t.Helper()
	w := &world{TB: t, db: st.DB(t.Context())}
	for _, user := range []uuid.UUID{owner, uuid.MustParse("00000000-0000-4000-8000-0000000000bb")} {
		first := w.conversation(user, nil)
		w.conversation(user, first)
		w.user(user)
		gone := w.conversation(user, nil)
		_, err := st.ForUser(user).Conversations().Delete(t.Context(), gone.ID)
		require.NoError(t, err)
		w.summaries(st.ForUser(user), first)
	}
	app := &conversation.AppState{}
	w.fill(app)
	w.put(app)
}

func (w *world) user(id uuid.UUID) {
	for _, app := range []string{"", "Zoo", "app"} {
		s := &conversation.UserState{UserID: id, App: app}
		w.fill(s, "app")
		w.put(s)
	}
}

// conversation stores one with two branches and a deleted message, in which every column is set.
func (w *world) conversation(user uuid.UUID, origin *conversation.Conversation) *conversation.Conversation {
	c := &conversation.Conversation{
		UserID: user, Language: "de", LastSeq: 7, LastChangeSeq: 10_000, Branched: true, HeadSeq: new(int64(6)), ForkedFromSeq: new(int64(5)),
		CreatedAt: time.Date(2026, 2, 1, 0, 0, w.n, 0, time.UTC),
	}
	if origin != nil {
		c.ForkedFromID = &origin.ID
	}
	w.fill(c)
	w.put(c)
	var all []*message.Message
	for seq := range int64(7) {
		m := &message.Message{
			UserID: user, ConversationID: c.ID, Seq: seq + 1, Role: message.RoleUser, Direction: message.DirectionInbound,
			Kind: message.KindMessage, State: message.StateComplete, ParentSeq: map[int64]*int64{4: new(int64(1)), 7: new(int64(5))}[seq+1],
		}
		if seq == 5 { // every column
			m.ParentSeq, m.Role, m.Direction, m.Kind, m.State = new(int64(3)), "", "", "", ""
		}
		w.fill(m, map[bool]string{true: "parent_seq"}[m.ParentSeq == nil])
		if seq == 2 {
			m.DeletedAt = gorm.DeletedAt{Time: m.CreatedAt, Valid: true}
		}
		all = append(all, m)
		w.put(m)
		w.ofMessage(m)
	}
	for _, s := range []*suggestion.Suggestion{
		{InReplyToMessageID: &all[0].ID, SentMessageID: &all[1].ID, AnswersSeq: 5},
		{InReplyToMessageID: &all[2].ID, SentMessageID: &all[3].ID, AnswersSeq: 1}, // goes with the deleted message
		{InReplyToMessageID: &all[4].ID, SentMessageID: &all[5].ID, AnswersSeq: 7, DeletedAt: gorm.DeletedAt{Time: c.CreatedAt, Valid: true}},
	} {
		s.UserID, s.ConversationID = user, c.ID
		w.fill(s)
		w.put(s)
	}
	for _, seq := range []int64{0, 2, 3, 7} {
		r := &conversation.Read{ConversationID: c.ID, UserID: user, Seq: seq}
		w.fill(r, "seq")
		l, s := &conversation.Label{ConversationID: c.ID, UserID: user}, &conversation.State{ConversationID: c.ID, UserID: user}
		w.fill(l)
		w.fill(s)
		w.put(r, l, s)
	}
	sum := &conversation.Summary{ConversationID: c.ID, UserID: user, FromSeq: 2, ToSeq: 5}
	w.fill(sum)
	w.put(sum)
	return c
}

func (w *world) ofMessage(m *message.Message) {
	of := struct{ m, u uuid.UUID }{m.ID, m.UserID}
	e := &message.Embedding{MessageID: of.m, UserID: of.u, ConversationID: m.ConversationID}
	r, v := &message.Ref{MessageID: of.m, UserID: of.u}, &message.Vote{MessageID: of.m, UserID: of.u, Value: message.VoteDown}
	w.fill(e)
	w.fill(r)
	w.fill(v)
	w.put(e, r, v)
	for _, end := range []string{"done_at", "failed_at", "cancelled_at"} {
		d := &message.OutboxEntry{MessageID: of.m, UserID: of.u}
		w.fill(d, slices.DeleteFunc([]string{"done_at", "failed_at", "cancelled_at"}, func(s string) bool { return s == end })...)
		w.put(d)
	}
}

// summaries has one that holds, and one that is void by what was edited since.
func (w *world) summaries(sc store.Scope, c *conversation.Conversation) {
	holds := &conversation.Summary{ConversationID: c.ID, FromSeq: 2, ToSeq: 4, Content: "holds"}
	void := &conversation.Summary{ConversationID: c.ID, FromSeq: 5, ToSeq: 6, Content: "void"}
	require.NoError(w, sc.Summaries().Create(w.Context(), holds))
	require.NoError(w, sc.Summaries().Create(w.Context(), void))
	for m, err := range sc.Messages().All(w.Context(), c.ID, store.MessageFilter{AfterSeq: 5}) {
		require.NoError(w, err)
		_, err = sc.Messages().Update(w.Context(), m.ID, store.MessageUpdate{Content: new("edited")})
		require.NoError(w, err)
	}
}
