package conversation_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/suggestion"
)

// ticket is a host's model that belongs to the library's models.
type ticket struct {
	ID             uint
	ConversationID uuid.UUID
	UserID         uuid.UUID
	MessageID      uuid.UUID
	SuggestionID   uuid.UUID
	Conversation   conversation.Conversation `gorm:"foreignKey:ConversationID,UserID;references:ID,UserID"`
	Message        message.Message           `gorm:"foreignKey:MessageID,UserID;references:ID,UserID"`
	Suggestion     *suggestion.Suggestion    `gorm:"foreignKey:SuggestionID,UserID;references:ID,UserID"`
}

// account is a host's model that has conversations.
type account struct {
	ID            uuid.UUID
	Conversations []conversation.Conversation `gorm:"foreignKey:UserID;constraint:-"`
}

// badge is a host's model that has many conversations and is of many, in a table of pairs.
type badge struct {
	ID            uint
	Conversations []conversation.Conversation `gorm:"many2many:badge_conversations"`
}

// schemaTexts returns what the database says of the library's tables, one line an object.
func schemaTexts(t *testing.T, db *gorm.DB) []string {
	t.Helper()
	const host = "'tickets', 'accounts', 'badges', 'badge_conversations'"
	query := "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema WHERE tbl_name NOT IN (" + host + ") ORDER BY 1"
	if db.Name() == "postgres" {
		const visible = "c.relnamespace = n.oid AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relname NOT IN (" + host + ")"
		query = `SELECT line FROM (
SELECT n.nspname || c.relname || ' column ' || a.attnum || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull ||
	coalesce(pg_get_expr(d.adbin, d.adrelid), '') || coalesce(col_description(c.oid, a.attnum), '') AS line
FROM pg_class c JOIN pg_namespace n ON ` + visible + ` JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE c.relkind = 'r'
UNION ALL SELECT n.nspname || c.relname || k.conname || pg_get_constraintdef(k.oid) FROM pg_class c JOIN pg_namespace n ON ` + visible + ` JOIN pg_constraint k ON k.conrelid = c.oid
UNION ALL SELECT n.nspname || c.relname || pg_get_indexdef(i.indexrelid) FROM pg_class c JOIN pg_namespace n ON ` + visible + ` JOIN pg_index i ON i.indrelid = c.oid
UNION ALL SELECT n.nspname || c.relname || pg_get_triggerdef(g.oid) FROM pg_class c JOIN pg_namespace n ON ` + visible + ` JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
) all_lines ORDER BY 1`
	}
	var lines []string
	require.NoError(t, db.Raw(query).Scan(&lines).Error)
	require.Greater(t, len(lines), 20)
	return lines
}

func TestPlainAutoMigrateLeavesTheTablesAlone(t *testing.T) {
	hosts := map[string][]any{
		"belongs to":   {&ticket{}},
		"has many":     {&account{}},
		"the models":   {&conversation.Conversation{}, &message.Message{}, &message.Embedding{}, &suggestion.Suggestion{}},
		"a message":    {&message.Message{}},
		"a suggestion": {&suggestion.Suggestion{}},
	}
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		require.NoError(t, db.Create(leadThread(t, uuid.New())).Error)
		want := schemaTexts(t, db)
		for name, models := range hosts {
			t.Run(name, func(t *testing.T) {
				for range 2 {
					require.NoError(t, db.AutoMigrate(models...))
					assert.Equal(t, want, schemaTexts(t, db))
				}
			})
		}
		require.Error(t, db.AutoMigrate(&badge{}), "GORM copies the tags of a key to a table of pairs that it makes up")
		assert.Equal(t, want, schemaTexts(t, db))
	})
}

// named is a naming strategy of a host whose tables of the library have a prefix and a schema.
type named struct {
	schema.NamingStrategy
	tables naming.Tables
}

func (n named) ConvostoreTable(name string) string { return n.tables.Table(name) }

func TestPlainAutoMigrateWithNamedTables(t *testing.T) {
	test := func(t *testing.T, dialector gorm.Dialector, tables naming.Tables) {
		db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard, NamingStrategy: named{tables: tables}})
		require.NoError(t, err)
		pool, err := db.DB()
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, pool.Close()) })
		require.NoError(t, migrate.Up(t.Context(), db, migrate.Options{Dimensions: dimensions, Prefix: tables.Prefix, Schema: tables.Schema}))
		want := schemaTexts(t, db)
		require.NoError(t, db.AutoMigrate(&ticket{}, &account{}))
		assert.Equal(t, want, schemaTexts(t, db))
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		require.NoError(t, db.Create(line(c, message.DirectionOutbound, "more")).Error)
		assertWhole(t, reload(t, db, c), 3)
	}
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteDialector(t), naming.Tables{Prefix: "crm_"}) })
	t.Run("postgres", func(t *testing.T) {
		test(t, postgres.Open(pgtest.Database(t)), naming.Tables{Prefix: "crm_", Schema: "chat"})
	})
}

// The models cannot make the tables: without the migrations, AutoMigrate fails and leaves nothing.
func TestPlainAutoMigrateMakesNoTable(t *testing.T) {
	for name, dialector := range map[string]gorm.Dialector{"sqlite": sqliteDialector(t), "postgres": postgres.Open(pgtest.Database(t))} {
		t.Run(name, func(t *testing.T) {
			db, err := gorm.Open(dialector, &gorm.Config{Logger: logger.Discard})
			require.NoError(t, err)
			pool, err := db.DB()
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, pool.Close()) })
			for _, model := range []any{&ticket{}, &conversation.Conversation{}, &message.Message{}, &message.Embedding{}, &suggestion.Suggestion{}} {
				require.Error(t, db.AutoMigrate(model))
			}
			for _, table := range []string{"conversations", "messages", "message_embeddings", "ai_suggestions"} {
				assert.False(t, db.Migrator().HasTable(table), table)
			}
		})
	}
}
