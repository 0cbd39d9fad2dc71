package threads

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s conversations) Overview(
	ctx context.Context, f store.ConversationFilter, o store.OverviewOptions, p store.PageRequest,
) (page store.Page[*store.ConversationOverview], err error) {
	if f, err = checkConversationFilter(s.sc, f); err != nil {
		return page, err
	}
	if o, err = checkOverview(s.sc, o); err != nil {
		return page, err
	}
	l, err := s.sc.Listing(ctx, "overview", f, p)
	if err != nil {
		return page, err
	}
	if err := s.sc.CheckLead(l.DB, f.LeadID); err != nil {
		return page, query.Wrap("list conversations", err)
	}
	rows, err := scope.ReadPage(l, overview(s.sc, f, o, l),
		func(r *overviewRow) []any { return r.dest(o) }, (*overviewRow).size,
		func(r *overviewRow) scope.Place { return conversationPlace(f.Order, r.Conversation) })
	if err != nil {
		return page, query.Wrap("list conversations", err)
	}
	page.Next, page.Items = rows.Next, make([]*store.ConversationOverview, len(rows.Items))
	for i, r := range rows.Items {
		if err := r.finish(o); err != nil {
			return store.Page[*store.ConversationOverview]{}, err
		}
		page.Items[i] = &r.ConversationOverview
	}
	return page, nil
}

func checkOverview(sc scope.Scope, o store.OverviewOptions) (store.OverviewOptions, error) {
	if err := sc.CleanFilter("reader", &o.Reader); err != nil {
		return o, err
	}
	if len(o.StateKeys) > store.MaxOverviewStates {
		return o, rule.Invalid("state_keys", "has %d keys, the most is %d", len(o.StateKeys), store.MaxOverviewStates)
	}
	o.StateKeys = slices.Clone(o.StateKeys)
	for i := range o.StateKeys {
		sc.Clean.Text(&o.StateKeys[i])
		if err := check.Name("state_keys", o.StateKeys[i]); err != nil {
			return o, err
		}
	}
	return o, check.Key("reader", o.Reader)
}

// overview selects a page p of conversations, and for the rows of it alone what else is asked for.
func overview(sc scope.Scope, f store.ConversationFilter, o store.OverviewOptions, l scope.Listing) *query.Query {
	const of = "conversation_id = p.id AND "
	q := query.New("SELECT " + query.Qualified("p.", record.ConversationColumns))
	joins := query.New("")
	if o.LastMessage {
		q.Add(", m.id, m.seq, m.role, m.direction, m.author, m.state, m.sent_at, substr(m.content, 1, " + strconv.Itoa(store.MaxPreview+1) + ")")
		joins.Add(" LEFT JOIN " + sc.Tables.Messages + " m ON m." + of + "m.user_id = p.user_id AND m.seq = (SELECT x.seq FROM " + sc.Tables.Messages +
			" x WHERE x." + of + "x.user_id = p.user_id AND x.deleted_at IS NULL AND x.kind = '" + string(message.KindMessage) +
			"' AND x.seq <= coalesce(p.head_seq, p.last_seq) ORDER BY x.seq DESC LIMIT 1)")
	}
	if o.Reader != "" {
		q.Add(", coalesce(r.seq, 0), (SELECT count(*) FROM (SELECT 1 FROM "+sc.Tables.Messages+" u WHERE u."+of+
			"u.user_id = p.user_id AND u.seq > coalesce(r.seq, 0) AND u.deleted_at IS NULL AND u.kind <> '"+string(message.KindEvent)+
			"' AND u.state <> '"+string(message.StateStreaming)+"' AND (u.author IS NULL OR u.author <> ?) LIMIT "+strconv.Itoa(store.MaxUnread)+") n)", o.Reader)
		joins.Add(" LEFT JOIN "+sc.Tables.Reads+" r ON r."+of+"r.user_id = p.user_id AND r.reader = ?", o.Reader)
	}
	if o.Labels {
		q.Add(", (SELECT " + sc.Dialect.TextArray("l.label") + " FROM " + sc.Tables.Labels + " l WHERE l." + of + "l.user_id = p.user_id)")
	}
	if len(o.StateKeys) > 0 {
		in, arg := sc.Dialect.InTexts("s.key", o.StateKeys)
		q.Add(", (SELECT "+sc.Dialect.BytesObject("s.key", "s.value")+" FROM "+sc.Tables.States+" s WHERE s."+of+"s.user_id = p.user_id AND "+in+")", arg)
	}
	q.Add(" FROM ").Bracketed(selectPage(sc, f, l.After, " LIMIT ?", l.Limit+1)).Add(" p").Append(joins)
	by := "last_message_at"
	if f.Order == store.NewestCreated {
		by = "created_at"
	}
	return q.Add(" ORDER BY p." + by + " DESC, p.id DESC, p.user_id DESC")
}

// overviewRow is a row of overview.
type overviewRow struct {
	store.ConversationOverview
	id             *uuid.UUID
	preview        store.MessagePreview
	sentAt         *time.Time
	labels, states record.Text
}

func (r *overviewRow) dest(o store.OverviewOptions) []any {
	r.Conversation = new(conversation.Conversation)
	dest, m := record.ConversationDest(r.Conversation), &r.preview
	if o.LastMessage {
		dest = append(dest, record.NullID{Dest: &r.id}, (*record.Number)(&m.Seq), (*record.Text)(&m.Role), (*record.Text)(&m.Direction), (*record.Text)(&m.Author),
			(*record.Text)(&m.State), record.NullInstant{Dest: &r.sentAt}, (*record.Text)(&m.Content))
	}
	if o.Reader != "" {
		dest = append(dest, &r.ReadSeq, &r.Unread)
	}
	if o.Labels {
		dest = append(dest, &r.labels)
	}
	if len(o.StateKeys) > 0 {
		dest = append(dest, &r.states)
	}
	return dest
}

func (r *overviewRow) size() int {
	return r.Size() + len(r.preview.Content) + len(r.labels) + len(r.states)
}

// finish fills in what a row has as documents.
func (r *overviewRow) finish(o store.OverviewOptions) error {
	if r.id != nil {
		r.preview.ID, r.preview.SentAt = *r.id, *r.sentAt
		if utf8.RuneCountInString(r.preview.Content) > store.MaxPreview {
			r.preview.Truncated, r.preview.Content = true, firstRunes(r.preview.Content, store.MaxPreview)
		}
		r.LastMessage = &r.preview
	}
	if o.Labels {
		r.Labels = []string{}
		if err := parse(r.labels, &r.Labels); err != nil {
			return err
		}
	}
	if len(o.StateKeys) == 0 {
		return nil
	}
	var encoded map[string]string
	if err := parse(r.states, &encoded); err != nil {
		return err
	}
	r.States = make(store.StateMap, len(encoded))
	for key, digits := range encoded {
		value, err := hex.DecodeString(digits)
		if err != nil {
			return fmt.Errorf("convostore: read a state: %w", err)
		}
		r.States[key] = value
	}
	return nil
}

// firstRunes returns the first n characters of a text.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// parse reads a document that the database has made, which is empty for no rows.
func parse(doc record.Text, to any) error {
	if doc == "" {
		return nil
	}
	if err := json.Unmarshal([]byte(doc), to); err != nil {
		return fmt.Errorf("convostore: read what the database has put together: %w", err)
	}
	return nil
}
