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
	q, err := overview(s.sc, f, o, l)
	if err != nil {
		return page, query.Wrap("list conversations", err)
	}
	rows, err := scope.ReadPage(l, q,
		func(r *overviewRow) []any { return r.dest(o) }, (*overviewRow).size,
		func(r *overviewRow) scope.Place { return conversationPlace(f, r.Conversation) })
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
	if len(o.Lead) > store.MaxLeadColumns {
		return o, rule.Invalid("lead", "has %d columns, the most is %d", len(o.Lead), store.MaxLeadColumns)
	}
	o.Lead = slices.Clone(o.Lead)
	for i := range o.Lead {
		sc.Clean.Text(&o.Lead[i])
	}
	o.Lead = scope.Distinct(o.Lead)
	for _, column := range o.Lead {
		if err := sc.CheckLeadColumn("lead", column, true); err != nil {
			return o, err
		}
	}
	return o, check.Key("reader", o.Reader)
}

// overview selects a page p of conversations, and for the rows of it alone what else is asked for.
func overview(sc scope.Scope, f store.ConversationFilter, o store.OverviewOptions, l scope.Listing) (*query.Query, error) {
	const of = "conversation_id = p.id AND "
	q := query.New("SELECT " + query.Qualified("p.", record.ConversationColumns))
	joins := query.New("")
	if o.LastMessage {
		q.Add(", m.id, m.seq, m.role, m.direction, m.author, m.state, m.sent_at, substr(m.content, 1, " + strconv.Itoa(store.MaxPreview+1) + ")")
		newest := sc.Tables.Messages + " x WHERE x." + of + "x.user_id = p.user_id AND x.deleted_at IS NULL AND x.kind = '" +
			string(message.KindMessage) + "' AND x.seq <= coalesce(p.head_seq, p.last_seq) ORDER BY x.seq DESC LIMIT 1"
		if sc.Dialect.Lateral() {
			joins.Add(" LEFT JOIN LATERAL (SELECT x.* FROM " + newest + ") m ON TRUE")
		} else {
			joins.Add(" LEFT JOIN " + sc.Tables.Messages + " m ON m." + of + "m.user_id = p.user_id AND m.seq = (SELECT x.seq FROM " + newest + ")")
		}
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
	if o.Draft {
		q.Add(", d.id, d.confidence_score, d.created_at, substr(d.suggested_content, 1, " + strconv.Itoa(store.MaxPreview+1) + ")")
		newest := newestDraft(sc, "p.id", "p.user_id")
		if sc.Dialect.Lateral() {
			joins.Add(" LEFT JOIN LATERAL (SELECT x.* FROM " + newest + ") d ON TRUE")
		} else {
			joins.Add(" LEFT JOIN " + sc.Tables.Suggestions + " d ON d.user_id = p.user_id AND d.id = (SELECT x.id FROM " + newest + ")")
		}
	}
	if err := addLead(sc, l, o, q, joins); err != nil {
		return nil, err
	}
	list := newListed(sc, f)
	q.Add(" FROM ").Bracketed(list.page(l.After, l.Limit+1)).Add(" p").Append(joins)
	return q.Add(list.orderBy("p.")), nil
}

// overviewRow is a row of overview.
type overviewRow struct {
	store.ConversationOverview
	id             *uuid.UUID
	preview        store.MessagePreview
	sentAt         *time.Time
	labels, states record.Text
	draftID        *uuid.UUID
	draft          store.DraftPreview
	draftAt        *time.Time
	lead           []*string
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
	if o.Draft {
		d := &r.draft
		dest = append(dest, record.NullID{Dest: &r.draftID}, &d.Confidence, record.NullInstant{Dest: &r.draftAt}, (*record.Text)(&d.Content))
	}
	r.lead = make([]*string, len(o.Lead))
	for i := range r.lead {
		dest = append(dest, &r.lead[i])
	}
	return dest
}

func (r *overviewRow) size() int {
	n := r.Size() + len(r.preview.Content) + len(r.labels) + len(r.states) + len(r.draft.Content)
	for _, value := range r.lead {
		if value != nil {
			n += len(*value)
		}
	}
	return n
}

// finish fills in what a row has as documents.
func (r *overviewRow) finish(o store.OverviewOptions) error {
	if r.id != nil {
		r.preview.ID, r.preview.SentAt = *r.id, *r.sentAt
		r.preview.Truncated = cut(&r.preview.Content)
		r.LastMessage = &r.preview
	}
	if r.draftID != nil {
		r.draft.ID, r.draft.CreatedAt = *r.draftID, *r.draftAt
		r.draft.Truncated = cut(&r.draft.Content)
		r.Draft = &r.draft
	}
	r.finishLead(o)
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

// cut leaves the first MaxPreview characters of a text, and tells whether there were more.
func cut(text *string) bool {
	if utf8.RuneCountInString(*text) <= store.MaxPreview {
		return false
	}
	*text = firstRunes(*text, store.MaxPreview)
	return true
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
