package conversation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/suggestion"
)

// kept is a text for the columns of which a test only asks that they have one.
const kept = "kept"

// rowsOf returns a valid row of every model, none of which is stored: those that belong to a
// conversation or to its first message belong to c.
func rowsOf(c *conversation.Conversation) []any {
	m, user := c.Messages[0].ID, c.UserID
	at := time.Date(2026, 2, 3, 4, 5, 6, 789000, time.UTC)
	return []any{
		&conversation.Conversation{ID: uuid.New(), UserID: user, CreatedAt: at},
		&message.Message{ID: uuid.New(), UserID: user, ConversationID: c.ID, Role: message.RoleUser, Content: kept, CreatedAt: at},
		&suggestion.Suggestion{
			ID: uuid.New(), UserID: user, ConversationID: c.ID, SuggestedContent: kept, GenerationCost: decimal.New(1, -2), CreatedAt: at,
		},
		&message.Embedding{MessageID: m, UserID: user, ConversationID: c.ID, Model: kept, Vector: message.Vector{1, 2, 3}, CreatedAt: at},
		&message.Ref{MessageID: m, UserID: user, Provider: kept, Ref: kept, CreatedAt: at},
		&message.Vote{MessageID: m, UserID: user, Voter: kept, Value: message.VoteUp, CreatedAt: at},
		&message.OutboxEntry{ID: uuid.New(), UserID: user, MessageID: m, Channel: kept, CreatedAt: at},
		&conversation.Label{ConversationID: c.ID, UserID: user, Label: kept, CreatedAt: at},
		&conversation.Read{ConversationID: c.ID, UserID: user, Reader: kept, ReadAt: at},
		&conversation.State{ConversationID: c.ID, UserID: user, Key: kept, UpdatedAt: at},
		&conversation.UserState{UserID: user, App: kept, Key: kept, UpdatedAt: at},
		&conversation.AppState{App: kept, Key: kept, UpdatedAt: at},
		&conversation.Summary{ID: uuid.New(), UserID: user, ConversationID: c.ID, FromSeq: 1, ToSeq: 1, Content: kept, CreatedAt: at},
	}
}

// models returns a row of every model, for tests that need no valid one.
func models() []any {
	return rowsOf(&conversation.Conversation{Messages: []*message.Message{{}}})
}

// withoutModel are the tables that nobody writes but the library.
var withoutModel = append(naming.Search(), naming.Claims, naming.Failures, naming.Migrations)

// eachNaming runs the test on both databases, with the tables' own names and with a prefix and,
// where there are schemas, a schema.
func eachNaming(t *testing.T, test func(t *testing.T, db *gorm.DB, tables naming.Tables)) {
	t.Helper()
	for name, c := range map[string]struct {
		dialector gorm.Dialector
		tables    naming.Tables
	}{
		"sqlite":                              {sqliteDialector(t), naming.Tables{}},
		"sqlite with a prefix":                {sqliteDialector(t), naming.Tables{Prefix: "crm_"}},
		"postgres":                            {postgres.Open(pgtest.Database(t)), naming.Tables{}},
		"postgres with a prefix and a schema": {postgres.Open(pgtest.Database(t)), naming.Tables{Prefix: "crm_", Schema: "chat"}},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := gorm.Open(c.dialector, &gorm.Config{Logger: logger.Discard, NamingStrategy: named{tables: c.tables}})
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Close()) })
			require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{
				Dimensions: dimensions, Prefix: c.tables.Prefix, Schema: c.tables.Schema,
			}))
			test(t, db, c.tables)
		})
	}
}

// tablesOf asks the database for its tables, SQLite's own left out.
func tablesOf(t *testing.T, db *gorm.DB, tables naming.Tables) (names []string) {
	t.Helper()
	query, args := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`, []any{}
	if db.Name() == "postgres" {
		query, args = "SELECT tablename FROM pg_tables WHERE schemaname = coalesce(nullif(?, ''), current_schema())", []any{tables.Schema}
	}
	require.NoError(t, db.Raw(query+" ORDER BY 1", args...).Scan(&names).Error)
	return names
}

func TestEveryTableHasAModel(t *testing.T) {
	eachNaming(t, func(t *testing.T, db *gorm.DB, tables naming.Tables) {
		var want []string
		for _, name := range withoutModel {
			want = append(want, tables.Prefix+name)
		}
		if db.Name() == "sqlite" {
			want = append(want, tables.Prefix+naming.Partitions, tables.Prefix+naming.Centroids, tables.Prefix+naming.Lists)
		}
		for _, model := range models() {
			want = append(want, parse(t, db, model).Table[len(schemaPrefix(tables)):])
		}
		slices.Sort(want)
		assert.Equal(t, want, tablesOf(t, db, tables))
	})
}

func schemaPrefix(tables naming.Tables) string {
	if tables.Schema == "" {
		return ""
	}
	return tables.Schema + "."
}
