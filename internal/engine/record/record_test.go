package record_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/suggestion"
)

// TestColumnsLineUp counts: a column that is added in one place alone fails here and not in a
// database's error about the number of values.
func TestColumnsLineUp(t *testing.T) {
	t.Parallel()
	for name, table := range map[string]struct {
		columns    string
		dest, args int
	}{
		naming.Conversations: {
			record.ConversationColumns, len(record.ConversationDest(&conversation.Conversation{})),
			len(record.ConversationArgs(&conversation.Conversation{})),
		},
		naming.Messages: { // id, user_id, conversation_id and seq stand before the arguments
			record.MessageColumns, len(record.MessageDest(&message.Message{})),
			4 + len(record.MessageArgs(nil, &message.Message{})),
		},
		naming.Suggestions: {
			record.SuggestionColumns, len(record.SuggestionDest(&suggestion.Suggestion{})),
			len(record.SuggestionArgs(&suggestion.Suggestion{})),
		},
	} {
		columns := split(table.columns)
		require.Len(t, columns, table.dest, "destinations of %s", name)
		require.Len(t, columns, table.args, "arguments of %s", name)
		slices.Sort(columns)
		require.Equal(t, slices.Compact(slices.Clone(columns)), columns, "a column of %s twice", name)
	}
}

func TestMessageColumnsLineUp(t *testing.T) {
	t.Parallel()
	require.Len(t, record.MessageArgs(nil, &message.Message{}), strings.Count(record.MessageMarks, "?"))
	withoutUser := split(record.WithoutUser)
	require.Len(t, record.MessageTypes, len(withoutUser))
	require.Len(t, split(record.MessageColumns), len(withoutUser)+1)
	require.Equal(t, append([]string{"user_id"}, withoutUser...), split(record.UserFirst))
	for i, column := range split(record.Unnested) {
		require.Equal(t, "v."+withoutUser[i], column)
	}
	for i, column := range withoutUser {
		require.Equal(t, strings.HasSuffix(column, "_at"), record.MessageTypes[i] == "timestamptz", column)
	}
}

func split(columns string) []string { return strings.Split(columns, ", ") }

func TestTables(t *testing.T) {
	t.Parallel()
	var names []string
	seen := map[*record.Table]bool{}
	counts := map[*int64]bool{}
	var c store.Counts
	for _, table := range record.Tables() {
		names = append(names, table.Name)
		require.Equal(t, table.Parent == nil, table.ParentKey == "", table.Name)
		require.True(t, table.Parent == nil || seen[table.Parent], "%s stands before its parent", table.Name)
		seen[table] = true
		if table.Count != nil {
			counts[table.Count(&c)] = true
			*table.Count(&c)++
		}
	}
	require.Equal(t, naming.WithRows(), names)
	for i := range reflect.TypeFor[store.Counts]().NumField() {
		require.EqualValues(t, 1, reflect.ValueOf(c).Field(i).Int(), "each number has one table")
	}
	require.Len(t, counts, len(names)-2, "all but the claims and the failures are counted")
	require.EqualValues(t, len(counts), c.Total())
}

// TestModelsHaveTheTablesNames: the models name their tables by themselves.
func TestModelsHaveTheTablesNames(t *testing.T) {
	t.Parallel()
	n := schema.NamingStrategy{}
	for table, name := range map[*record.Table]string{
		record.Conversations: conversation.Conversation{}.TableName(n),
		record.Messages:      message.Message{}.TableName(n),
		record.Suggestions:   suggestion.Suggestion{}.TableName(n),
		record.Embeddings:    message.Embedding{}.TableName(n),
	} {
		require.Equal(t, table.Name, name)
	}
}
