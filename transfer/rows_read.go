package transfer

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// rowReader reads what hangs on a conversation beside its messages. Lists are sorted here: the
// databases do not agree on the order of texts.
type rowReader struct {
	*stored
	db    *gorm.DB
	scope store.Scope
}

func (r *rowReader) read(ctx context.Context, vectors bool) (err error) {
	c := r.conversation
	if c.Labels, err = find(r.inConversation(), func(l *conversation.Label) string { return l.Label }); err != nil {
		return err
	}
	if c.Reads, err = find(r.inConversation(), func(m *conversation.Read) string { return m.Reader }); err != nil {
		return err
	}
	if c.States, err = find(r.inConversation(), func(s *conversation.State) string { return s.Key }); err != nil {
		return err
	}
	if c.Suggestions, err = find(r.inConversation(), func(s *suggestion.Suggestion) string { return instant(s.CreatedAt) + s.ID.String() }); err != nil {
		return err
	}
	if err := r.readSummaries(ctx); err != nil {
		return err
	}
	if err := r.readOfMessages(vectors); err != nil {
		return err
	}
	return r.renumberOrigin(ctx)
}

// inConversation selects rows that name the conversation.
func (r *rowReader) inConversation() *gorm.DB {
	return r.db.Where("conversation_id = ? AND user_id = ?", r.conversation.ID, r.conversation.UserID)
}

// ofMessages selects rows that name a live message of the conversation.
func (r *rowReader) ofMessages() *gorm.DB {
	live := r.inConversation().Model(&message.Message{}).Select("id")
	return r.db.Where("user_id = ? AND message_id IN (?)", r.conversation.UserID, live)
}

// readSummaries reads the summaries, with VoidAt of those that are void.
func (r *rowReader) readSummaries(ctx context.Context) (err error) {
	c := r.conversation
	c.Summaries, err = find(r.inConversation(), func(s *conversation.Summary) string { return instant(s.CreatedAt) + s.ID.String() })
	if err != nil || len(c.Summaries) == 0 {
		return err
	}
	judged, err := r.scope.Summaries().List(ctx, c.ID)
	if err != nil {
		return err
	}
	voidAt := make(map[uuid.UUID]*time.Time, len(judged))
	for _, s := range judged {
		voidAt[s.ID] = s.VoidAt
	}
	for _, s := range c.Summaries {
		s.VoidAt = cmp.Or(s.VoidAt, voidAt[s.ID])
	}
	return nil
}

// readOfMessages reads what hangs on the messages, and their vectors if they are asked for.
func (r *rowReader) readOfMessages(vectors bool) error {
	if len(r.messages) == 0 {
		return nil
	}
	byID := make(map[uuid.UUID]*message.Message, len(r.messages))
	for _, m := range r.messages {
		byID[m.ID] = m
	}
	votes, err := find(r.ofMessages(), func(v *message.Vote) string { return v.Voter })
	if err != nil {
		return err
	}
	for _, v := range votes {
		hang(byID, v.MessageID, func(m *message.Message) { m.Votes = append(m.Votes, v) })
	}
	refs, err := find(r.ofMessages(), func(f *message.Ref) string { return f.Provider + "\x00" + f.Ref })
	if err != nil {
		return err
	}
	for _, f := range refs {
		hang(byID, f.MessageID, func(m *message.Message) { m.Refs = append(m.Refs, f) })
	}
	if r.deliveries, err = find(r.ofMessages(), func(e *message.OutboxEntry) string { return instant(e.CreatedAt) + e.ID.String() }); err != nil || !vectors {
		return err
	}
	embeddings, err := find(r.ofMessages(), func(e *message.Embedding) string { return e.Model })
	for _, e := range embeddings {
		hang(byID, e.MessageID, func(m *message.Message) { m.Embeddings = append(m.Embeddings, e) })
	}
	return err
}

// hang gives a row to its message. One that was appended since the messages were read has none.
func hang(byID map[uuid.UUID]*message.Message, id uuid.UUID, add func(*message.Message)) {
	if m := byID[id]; m != nil {
		add(m)
	}
}

// renumberOrigin makes ForkedFromSeq one of the live messages of the origin, which are numbered
// anew as those of this conversation are. If the origin is not there, it stays.
func (r *rowReader) renumberOrigin(ctx context.Context) error {
	c := r.conversation
	if c.ForkedFromID == nil {
		return nil
	}
	if _, err := r.scope.Conversations().Get(ctx, *c.ForkedFromID); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	}
	var n int64
	err := r.db.Model(&message.Message{}).
		Where("conversation_id = ? AND user_id = ? AND seq <= ?", c.ForkedFromID, c.UserID, *c.ForkedFromSeq).Count(&n).Error
	c.ForkedFromSeq = &n
	return err
}

// find returns the rows of a table that db selects, sorted by the bytes of a key.
func find[T any, R interface {
	*T
	Normalize(now time.Time)
}](db *gorm.DB, key func(R) string,
) (rows []R, err error) {
	if err := db.Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		r.Normalize(time.Time{}) // drivers give times in other zones
	}
	slices.SortFunc(rows, func(a, b R) int { return cmp.Compare(key(a), key(b)) })
	return rows, nil
}

// instant is a time as text that sorts as the times do.
func instant(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000 ") }
