package bench

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

// overviewReader is a person who has read nothing.
const overviewReader = "ann"

// caseOverview20 is a page of a list with what its screen shows: the last message, what is new to a reader,
// and the draft that waits. Both sides take one statement.
var caseOverview20 = workCase{name: "Overview20", aim: aim{time: 1.25}, work: func(ctx context.Context, f *fixture, i int) error {
	all, err := f.overview(ctx, f.userOf(live(i%f.users)), 20)
	return expect(len(all), 20, err)
}}

func (l library) overview(ctx context.Context, user uuid.UUID, n int) ([]*store.ConversationOverview, error) {
	o := store.OverviewOptions{LastMessage: true, Reader: overviewReader, Draft: true}
	page, err := l.st.ForUser(user).Conversations().Overview(ctx, store.ConversationFilter{}, o, store.PageRequest{Limit: n})
	return page.Items, err
}

// overviewColumns are of the conversation, its last message, the read mark, what is new, and the draft.
const overviewColumns = `c.*, m.id, m.seq, m.role, m.direction, m.author, m.state, m.sent_at, m.content,
	coalesce(r.seq, 0), (SELECT count(*) FROM (SELECT 1 FROM messages u WHERE u.conversation_id = c.id AND u.user_id = c.user_id
		AND u.seq > coalesce(r.seq, 0) AND u.deleted_at IS NULL AND u.kind <> 'event' AND u.state <> 'streaming'
		AND (u.author IS NULL OR u.author <> $3) LIMIT 100) n),
	d.id, d.confidence_score, d.created_at, d.suggested_content
	FROM (SELECT ` + conversationColumns + ` FROM conversations
		WHERE user_id = $1 AND deleted_at IS NULL ORDER BY last_message_at DESC, id DESC LIMIT $2) c
	LEFT JOIN conversation_reads r ON r.conversation_id = c.id AND r.user_id = c.user_id AND r.reader = $3`

const (
	overviewMessage = `SELECT id, seq, role, coalesce(direction, '') AS direction, coalesce(author, '') AS author, state, sent_at, substr(content, 1, 201) AS content
		FROM messages x WHERE x.conversation_id = c.id AND x.user_id = c.user_id AND x.deleted_at IS NULL AND x.kind = 'message' ORDER BY x.seq DESC LIMIT 1`
	overviewDraft = `SELECT id, confidence_score, created_at, substr(suggested_content, 1, 201) AS suggested_content FROM ai_suggestions x
		WHERE x.conversation_id = c.id AND x.user_id = c.user_id AND x.status = 'pending' AND x.deleted_at IS NULL ORDER BY x.created_at DESC, x.id DESC LIMIT 1`

	overviewPostgres = `SELECT ` + overviewColumns + ` LEFT JOIN LATERAL (` + overviewMessage + `) m ON TRUE LEFT JOIN LATERAL (` + overviewDraft + `) d ON TRUE
		ORDER BY c.last_message_at DESC, c.id DESC`
	overviewSQLite = `SELECT ` + overviewColumns + `
		LEFT JOIN messages m ON m.conversation_id = c.id AND m.user_id = c.user_id AND m.seq = (SELECT x.seq FROM messages x
			WHERE x.conversation_id = c.id AND x.user_id = c.user_id AND x.deleted_at IS NULL AND x.kind = 'message' ORDER BY x.seq DESC LIMIT 1)
		LEFT JOIN ai_suggestions d ON d.user_id = c.user_id AND d.id = (SELECT x.id FROM ai_suggestions x
			WHERE x.conversation_id = c.id AND x.user_id = c.user_id AND x.status = 'pending' AND x.deleted_at IS NULL ORDER BY x.created_at DESC, x.id DESC LIMIT 1)
		ORDER BY c.last_message_at DESC, c.id DESC`
)

func scanOverview(r row) (*store.ConversationOverview, error) {
	o := &store.ConversationOverview{Conversation: new(conversation.Conversation)}
	c, m, d := o.Conversation, new(store.MessagePreview), new(store.DraftPreview)
	var last, draft *uuid.UUID
	var seq *int64
	var role, direction, author, state, content, suggested *string
	var sentAt, draftAt *time.Time
	err := r.Scan(&c.ID, &c.UserID, &c.LeadID, &c.ExternalKey, &c.Title, &c.Subject, &c.Status, &c.Metadata,
		&c.LastSeq, &c.LastMessageAt, &c.HeldAt, &c.CreatedAt, &c.UpdatedAt, &c.DeletedAt,
		&last, &seq, &role, &direction, &author, &state, &sentAt, &content, &o.ReadSeq, &o.Unread, &draft, &d.Confidence, &draftAt, &suggested)
	if err != nil {
		return nil, err
	}
	if last != nil {
		m.ID, m.Seq, m.SentAt, m.Content = *last, *seq, *sentAt, *content
		o.LastMessage = m
	}
	if draft != nil {
		d.ID, d.CreatedAt, d.Content = *draft, *draftAt, *suggested
		o.Draft = d
	}
	return o, nil
}

func (h handPostgres) overview(ctx context.Context, user uuid.UUID, n int) ([]*store.ConversationOverview, error) {
	rs, err := h.pool.Query(ctx, overviewPostgres, user.String(), n+1, overviewReader)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	all, err := collect(rs, n+1, scanOverview)
	return all[:min(n, len(all))], err
}

func (h *handSQLite) overview(ctx context.Context, user uuid.UUID, n int) ([]*store.ConversationOverview, error) {
	all, err := query(ctx, h.overviewN, n+1, scanOverview, user.String(), n+1, overviewReader)
	return all[:min(n, len(all))], err
}
