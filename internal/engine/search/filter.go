package search

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// checkFilter checks a filter. It returns the filter with its lead id cleaned, without duplicates
// and with its times in the precision of the tables.
func checkFilter(sc scope.Scope, f store.SearchFilter) (store.SearchFilter, error) {
	for _, st := range f.Statuses {
		if !st.Valid() {
			return f, rule.Invalid("statuses", "has an unknown status")
		}
	}
	for _, r := range f.Roles {
		if !r.Valid() {
			return f, rule.Invalid("roles", "has an unknown role")
		}
	}
	if !f.Direction.Valid() {
		return f, rule.Invalid("direction", "is not inbound, outbound or empty")
	}
	if slices.ContainsFunc(f.Kinds, func(k message.Kind) bool { return !k.Valid() }) {
		return f, rule.Invalid("kinds", "has an unknown kind")
	}
	err := check.First(sc.CleanFilter("lead_id", &f.LeadID), sc.CleanFilter("app", &f.App))
	if err != nil {
		return f, err
	}
	if f.Labels, err = checkLabels(sc, f.Labels); err != nil {
		return f, err
	}
	if f.Metadata, err = checkMetadata(sc, f.Metadata); err != nil {
		return f, err
	}
	f.Statuses, f.Roles, f.Kinds = scope.Distinct(f.Statuses), scope.Distinct(f.Roles), scope.Distinct(f.Kinds)
	for _, t := range []*time.Time{&f.SentSince, &f.SentBefore} {
		*t = message.Instant(*t)
	}
	return f, check.First(
		check.Key("lead_id", f.LeadID), check.Key("app", f.App), check.Time("sent_since", f.SentSince), check.Time("sent_before", f.SentBefore),
	)
}

// The most labels and texts of metadata that a filter may name.
const maxLabels, maxMetadata = 100, 20

func checkLabels(sc scope.Scope, labels []string) ([]string, error) {
	if len(labels) > maxLabels {
		return nil, rule.Invalid("labels", "has %d, the most is %d", len(labels), maxLabels)
	}
	labels = slices.Clone(labels)
	for i := range labels {
		if err := sc.CleanFilter("labels", &labels[i]); err != nil {
			return nil, err
		}
		if err := check.Name("labels", labels[i]); err != nil {
			return nil, err
		}
	}
	return scope.Distinct(labels), nil
}

func checkMetadata(sc scope.Scope, texts []store.MetadataText) ([]store.MetadataText, error) {
	if len(texts) > maxMetadata {
		return nil, rule.Invalid("metadata", "has %d texts, the most is %d", len(texts), maxMetadata)
	}
	texts = slices.Clone(texts)
	for i := range texts {
		t := &texts[i]
		if err := sc.CleanFilter("metadata", &t.Key); err != nil {
			return nil, err
		}
		sc.Clean.Text(&t.Value)
		if t.Key == "" {
			return nil, rule.Invalid("metadata", "has an empty key")
		}
		if err := check.First(scope.CheckPart("metadata", t.Key), scope.CheckPart("metadata", t.Value)); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// narrows tells whether the filter has any condition.
func narrows(f store.SearchFilter) bool {
	return f.ConversationID != uuid.Nil || f.LeadID != "" || f.App != "" || len(f.Statuses) > 0 || len(f.Labels) > 0 || filtersMessages(f)
}

// filtersMessages tells whether the filter has a condition on messages, which no
// conversation meets by its title.
func filtersMessages(f store.SearchFilter) bool {
	return len(f.Roles) > 0 || len(f.Kinds) > 0 || len(f.Metadata) > 0 ||
		f.Direction != message.DirectionNone || !f.SentSince.IsZero() || !f.SentBefore.IsZero()
}

// isSelective tells whether the filter leaves so few messages that comparing all of them is
// quick: those of one conversation or of one lead.
func isSelective(f store.SearchFilter) bool { return f.ConversationID != uuid.Nil || f.LeadID != "" }

// addFilter adds the conditions of a filter to a query on messages m and conversations c.
func addFilter(sc scope.Scope, q *query.Query, f store.SearchFilter) {
	if f.ConversationID != uuid.Nil {
		// On both tables, because a plan may begin with either.
		q.Add(" AND m.conversation_id = ? AND c.id = ?", f.ConversationID, f.ConversationID)
	}
	if len(f.Roles) > 0 {
		query.In(q, " AND m.role", f.Roles)
	}
	if f.Direction != message.DirectionNone {
		q.Add(" AND m.direction = ?", f.Direction)
	}
	if len(f.Kinds) > 0 {
		query.In(q, " AND m.kind", f.Kinds)
	}
	for _, t := range f.Metadata {
		q.Add(" AND "+sc.Dialect.HasText("m.metadata"), t.Key, t.Value)
	}
	scope.Between(q, "m.sent_at", f.SentSince, f.SentBefore)
	addConversationFilter(sc, q, f)
}

// addConversationFilter adds the conditions on conversations c, except that on their id.
func addConversationFilter(sc scope.Scope, q *query.Query, f store.SearchFilter) {
	if f.LeadID != "" {
		q.Add(" AND c.lead_id = ?", f.LeadID)
	}
	if f.App != "" {
		q.Add(" AND c.app = ?", f.App)
	}
	if len(f.Statuses) > 0 {
		q.Add(" AND c." + scope.StatusIs(f.Statuses))
	}
	if len(f.Labels) > 0 {
		in, arg := sc.Dialect.InTexts("l.label", f.Labels)
		q.Add(" AND EXISTS (SELECT 1 FROM "+sc.Tables.Of(record.Labels)+" l WHERE l.conversation_id = c.id AND l.user_id = c.user_id AND "+in+")", arg)
	}
}
