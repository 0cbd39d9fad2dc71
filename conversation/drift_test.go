package conversation_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
)

// withoutField lists the columns that have no field in a model.
var withoutField = map[string][]string{
	// The row keys of SQLite, what the database itself makes of last_message_at, and a count that only
	// statements which lock the row read.
	"conversations":      {"row_id", "activity_bucket", "draft_seq"},
	"messages":           {"row_id"},
	"message_embeddings": {"row_id"},
}

// TestModelsMatchTheMigratedTables takes the place of AutoMigrate: models and migrations are
// both written by hand, and the test fails if only one of them changes.
func TestModelsMatchTheMigratedTables(t *testing.T) {
	eachNaming(t, func(t *testing.T, db *gorm.DB, tables naming.Tables) {
		for _, model := range models() {
			s := parse(t, db, model)
			t.Run(s.Table, func(t *testing.T) {
				assertColumns(t, s, columnsOf(t, db, model), strings.TrimPrefix(s.Table, tables.Table("")))
			})
		}
	})
}

func parse(t *testing.T, db *gorm.DB, model any) *schema.Schema {
	t.Helper()
	stmt := &gorm.Statement{DB: db}
	require.NoError(t, stmt.Parse(model))
	return stmt.Schema
}

func columnsOf(t *testing.T, db *gorm.DB, model any) map[string]gorm.ColumnType {
	t.Helper()
	types, err := db.Migrator().ColumnTypes(model)
	require.NoError(t, err)
	columns := map[string]gorm.ColumnType{}
	for _, c := range types {
		columns[c.Name()] = c
	}
	return columns
}

func assertColumns(t *testing.T, s *schema.Schema, columns map[string]gorm.ColumnType, table string) {
	t.Helper()
	for _, name := range s.DBNames {
		column, ok := columns[name]
		if !assert.True(t, ok, "the field %s has no column", name) {
			continue
		}
		nullable, known := column.Nullable()
		require.True(t, known)
		assert.Equal(t, mayBeNull(s.FieldsByDBName[name]), nullable, "NULL in %s", name)
	}
	for name := range columns {
		if !slices.Contains(withoutField[table], name) {
			assert.Contains(t, s.DBNames, name, "a column without a field")
		}
	}
	assertPrimaryKey(t, s)
}

// mayBeNull reports whether the field writes its zero value as NULL. Its column must be
// nullable, and the columns of all other fields must not.
func mayBeNull(f *schema.Field) bool {
	if f.Serializer != nil || f.FieldType.Kind() == reflect.Pointer {
		return true
	}
	switch f.FieldType {
	case reflect.TypeFor[gorm.DeletedAt](), reflect.TypeFor[message.Direction](), reflect.TypeFor[message.JSON](),
		reflect.TypeFor[message.Delivery](), reflect.TypeFor[message.Payload](),
		reflect.TypeFor[message.Headers](), reflect.TypeFor[message.Attachments]():
		return true
	}
	return false
}

// assertPrimaryKey asserts that the primary key includes the owner, so that GORM's own
// updates and deletes of a loaded row name the owner too.
func assertPrimaryKey(t *testing.T, s *schema.Schema) {
	t.Helper()
	var key []string
	for _, f := range s.PrimaryFields {
		key = append(key, f.DBName)
		assert.False(t, f.Updatable, "%s must not move", f.DBName)
	}
	if s.ModelType != reflect.TypeFor[conversation.AppState]() { // which has no owner
		assert.Contains(t, key, "user_id")
	}
}
