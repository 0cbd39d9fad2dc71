package states

import (
	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/store"
)

// kinds is the order in which an append writes the places, each of them in the order of keys.
var kinds = []store.StateKind{store.ConversationKind, store.UserKind, store.AppKind}

// Appended are checked changes that an append writes, by the index of kinds.
type Appended []Changes

// CheckAppended checks what an append is to write. It returns nil if there is nothing.
func CheckAppended(sc scope.Scope, s store.AppendStates) (Appended, error) {
	if len(s.Conversation)+len(s.User)+len(s.App) == 0 {
		return nil, nil
	}
	return checkAll(sc, s.Conversation, s.User, s.App)
}

// Removes tells whether a key is to be removed. That takes statements of its own: one that waited
// for another append does not see the keys that it added.
func (a Appended) Removes() bool {
	for _, c := range a {
		if c.removes() {
			return true
		}
	}
	return false
}

// Inserts returns the parts of a statement on PostgreSQL that write states for the rows of a part
// from, with id, user_id, app and updated_at of a conversation. They end with a comma. Their
// arguments are those of Args. All places are always there, so that appends with other places have
// the same statement and lock the tables in the same order.
func Inserts(t scope.Tables, d dialect.Dialect, from string) string {
	all := ""
	for i, kind := range kinds {
		shape := shapeOf(t, kind)
		owner := []string{"c.id, c.user_id", "c.user_id, c.app", "c.app"}[i]
		all += []string{"cs", "us", "aps"}[i] + " AS (INSERT INTO " + shape.table + " AS s (" + shape.owner + ", key, value, version, updated_at) SELECT " + owner +
			", v.key, v.value, 1, c.updated_at FROM " + from + " c CROSS JOIN " + d.Unnest(rowTypes) + " AS v (key, value) ORDER BY " + d.ByBytes("v.key") + onConflict(shape) + "), "
	}
	return all
}

// Args appends the arguments of Inserts.
func (a Appended) Args(args []any) ([]any, error) {
	for _, c := range a {
		arrays, err := c.arrays()
		if err != nil {
			return nil, err
		}
		args = append(args, arrays...)
	}
	return args, nil
}

// Write writes the changes after an append, in its transaction. The conversation is locked.
func (a Appended) Write(sc scope.Scope, db query.Conn, conversationID uuid.UUID) error {
	distributed, err := isDistributed(sc, db)
	if err != nil {
		return err
	}
	var app record.Text
	if len(a[1])+len(a[2]) > 0 {
		q := query.New("SELECT app FROM "+sc.Tables.Conversations+" WHERE id = ? AND user_id = ?", conversationID, sc.User)
		if _, err := q.Row(db, &app); err != nil {
			return err
		}
	}
	for i, in := range []store.StatePlace{
		store.ConversationState(conversationID),
		{Kind: store.UserKind, UserID: sc.User, App: string(app)},
		store.AppState(string(app)),
	} {
		if len(a[i]) == 0 {
			continue
		}
		if _, err := (place{sc, in}).write(db, a[i], nil, distributed); err != nil {
			return err
		}
	}
	return nil
}
