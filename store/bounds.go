package store

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
)

// distinct returns each word of a filter once, in a fixed order, and leaves words as it is:
// there are few that are valid, and a database takes some thousand arguments at most.
func distinct[T ~string](words []T) []T {
	if len(words) < 2 {
		return words
	}
	return slices.Compact(slices.Sorted(slices.Values(words)))
}

// checkPart checks a text that LIKE is to look for, which SQLite takes up to 50,000 bytes
// of, with a backslash before each letter that it would take for a sign.
func checkPart(field, text string) error {
	if len(text) > MaxQuery {
		return rule.Invalid(field, "has %d bytes, the most is %d", len(text), MaxQuery)
	}
	return check.Text(field, text)
}

// newConversation prepares a conversation and sees that the schema can take it.
func (s conversations) newConversation(ctx context.Context, c *conversation.Conversation) (scope, error) {
	sc, err := s.prepareNew(c)
	if err != nil {
		return sc, err
	}
	db, err := s.writing(ctx)
	if err != nil {
		return sc, err
	}
	return sc, fail("create conversation", s.checkLead(db, c.LeadID))
}

// checkLead refuses a lead id that the column cannot have, see migrate.Ref.Type: PostgreSQL
// would refuse the statement, quote the id, and end a transaction around it.
func (sc scope) checkLead(db conn, leadID string) error {
	if leadID == "" {
		return nil
	}
	f, err := sc.schemaFeatures(db)
	if err != nil {
		return err
	}
	return f.checkLead(leadID)
}

// integers are the SQL types of whole numbers with their bits.
var integers = map[string]int{
	"smallint": 16, "int2": 16, "integer": 32, "int": 32, "int4": 32, "bigint": 64, "int8": 64,
}

func (f *features) checkLead(leadID string) error {
	kind := strings.ToLower(f.leadType)
	if bits := integers[kind]; leadID != "" && bits > 0 {
		if _, err := strconv.ParseInt(leadID, 10, bits); err != nil {
			return rule.Invalid("lead_id", "is not a whole number of %d bits, as the host's leads have them", bits)
		}
	}
	if leadID != "" && kind == "uuid" {
		if _, err := uuid.Parse(leadID); err != nil || strings.HasPrefix(strings.ToLower(leadID), "urn:") {
			return rule.Invalid("lead_id", "is not a UUID, as the host's leads have them")
		}
	}
	return nil
}
