package conversation_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/suggestion"
)

// storedThread is a conversation with two messages in the database.
func storedThread(t *testing.T, db *gorm.DB) *conversation.Conversation {
	t.Helper()
	c := leadThread(t, uuid.New())
	require.NoError(t, db.Create(c).Error)
	return c
}

// copyOf returns a copy of the struct that row points to.
func copyOf(row any) reflect.Value {
	c := reflect.New(reflect.TypeOf(row).Elem())
	c.Elem().Set(reflect.ValueOf(row).Elem())
	return c
}

// distantYear is one that SQLite's texts do not sort, and that no table keeps.
var distantYear = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// badText is refused in every column of text, and only PostgreSQL would refuse it by itself.
const badText = "a\x00b"

// TestPlainWritesOfEveryModelValidate spoils one text of a row after another.
func TestPlainWritesOfEveryModelValidate(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := storedThread(t, db)
		for _, stored := range []bool{false, true} {
			for _, row := range rowsOf(c) {
				if stored {
					require.NoError(t, db.Create(row).Error)
				}
				for _, field := range parse(t, db, row).Fields {
					if field.FieldType.Kind() != reflect.String {
						continue
					}
					bad := copyOf(row)
					require.NoError(t, field.Set(t.Context(), bad.Elem(), badText))
					assertRefused(t, db, field.DBName, bad.Interface())
					if field.Updatable {
						assertUpdateRefused(t, db, row, field.DBName, badText)
					}
				}
			}
		}
	})
}

func assertUpdateRefused(t *testing.T, db *gorm.DB, row any, column string, value any) {
	t.Helper()
	like := copyOf(row).Interface()
	for _, update := range []*gorm.DB{
		db.Model(like).Update(column, value),
		db.Model(like).Select(column).Updates(map[string]any{column: value}),
	} {
		var invalid *rule.InvalidError
		require.ErrorAs(t, update.Error, &invalid, "%T %s", row, column)
		assert.Equal(t, column, invalid.Field, "%T", row)
	}
}

// TestPlainUpdatesOfEveryModelValidateWhatTheySet: an empty value is one, too, when a map or a
// Select names its column.
func TestPlainUpdatesOfEveryModelValidateWhatTheySet(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := storedThread(t, db)
		for _, row := range rowsOf(c) {
			require.NoError(t, db.Create(row).Error)
		}
		s := draft(c)
		require.NoError(t, db.Create(s).Error)
		one := func(model any) *gorm.DB {
			return db.Model(model).Where("user_id = ?", c.UserID)
		}
		for name, c := range map[string]struct {
			update *gorm.DB
			field  string
		}{
			"no content":                {db.Model(s).Update("suggested_content", ""), "suggested_content"},
			"no content by Select":      {db.Model(s).Select("suggested_content").Updates(suggestion.Suggestion{}), "suggested_content"},
			"no content of an edit":     {db.Model(s).Updates(map[string]any{"status": suggestion.StatusEdited, "edited_content": ""}), "edited_content"},
			"a long name of a format":   {db.Model(c.Messages[0]).Update("payload_format", strings.Repeat("x", 1025)), "payload_format"},
			"a payload without format":  {db.Model(c.Messages[0]).Updates(map[string]any{"payload": message.Payload("{}"), "payload_format": ""}), "payload_format"},
			"a parent that is later":    {db.Create(&message.Message{UserID: c.UserID, ConversationID: c.ID, Role: message.RoleUser, ParentSeq: new(int64(9))}), "parent_seq"},
			"merged into itself":        {db.Model(c).Update("merged_into_id", c.ID), "merged_into_id"},
			"a vote of zero":            {one(&message.Vote{}).Update("value", 0), "value"},
			"a vote of zero by Select":  {one(&message.Vote{}).Select("value").Updates(message.Vote{}), "value"},
			"a vote of two":             {one(&message.Vote{}).Updates(message.Vote{Value: 2}), "value"},
			"negative attempts":         {one(&message.OutboxEntry{}).Update("attempts", -1), "attempts"},
			"attempts beyond 32 bits":   {one(&message.OutboxEntry{}).Update("Attempts", int64(1)<<31), "attempts"},
			"a claim of nobody":         {one(&message.OutboxEntry{}).Updates(map[string]any{"claimed_by": "", "claimed_until": message.Now()}), "claimed_until"},
			"two ends":                  {one(&message.OutboxEntry{}).Updates(message.OutboxEntry{DoneAt: new(message.Now()), FailedAt: new(message.Now())}), "done_at"},
			"a negative seq":            {one(&conversation.Read{}).Update("seq", -1), "seq"},
			"a time of the year 10000":  {one(&conversation.Read{}).Update("read_at", distantYear), "read_at"},
			"a version below one":       {one(&conversation.State{}).Update("version", -1), "version"},
			"a user's version":          {one(&conversation.UserState{}).Update("version", -1), "version"},
			"an app's version":          {db.Model(&conversation.AppState{}).Where("app = ?", kept).Update("version", -1), "version"},
			"a summary void in no year": {one(&conversation.Summary{}).Update("void_at", distantYear), "void_at"},
			"a vector of nothing":       {one(&message.Embedding{}).Update("embedding", message.Vector{}), "embedding"},
		} {
			var invalid *rule.InvalidError
			if assert.ErrorAs(t, c.update.Error, &invalid, name) {
				assert.Equal(t, c.field, invalid.Field, name)
			}
		}
	})
}

// TestPlainSaveOfEveryModel saves rows that are there and rows that are not, one by one and
// together: afterwards there is one row of each.
func TestPlainSaveOfEveryModel(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := storedThread(t, db)
		for _, row := range rowsOf(c) {
			for range 3 {
				require.NoError(t, db.Save(row).Error, "%T", row)
			}
			slice := reflect.New(reflect.SliceOf(reflect.TypeOf(row)))
			slice.Elem().Set(reflect.Append(slice.Elem(), reflect.ValueOf(row)))
			if s := parse(t, db, row); s.Table != "messages" && s.Table != "conversations" { // which lock their rows first
				require.NoError(t, db.Save(slice.Interface()).Error, "%T", row)
			}
			var rows int64
			q := db.Model(row)
			for _, f := range parse(t, db, row).PrimaryFields {
				value, _ := f.ValueOf(t.Context(), reflect.ValueOf(row).Elem())
				q = q.Where(clause.Eq{Column: clause.Column{Name: f.DBName}, Value: value})
			}
			require.NoError(t, q.Count(&rows).Error)
			assert.EqualValues(t, 1, rows, "%T", row)
		}
	})
}

// TestPlainSaveOfAStateWithoutApp: an empty app is a part of the key, and GORM takes an empty part
// for a row that is not there yet.
func TestPlainSaveOfAStateWithoutApp(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		for _, row := range []any{
			&conversation.UserState{UserID: uuid.New(), Key: "key", Value: conversation.Value("1")},
			&conversation.AppState{Key: "key", Value: conversation.Value("1")},
		} {
			require.NoError(t, db.Save(row).Error)
			require.Error(t, db.Save(row).Error, "%T: as the comment of App says", row)
			require.NoError(t, db.Clauses(clause.OnConflict{UpdateAll: true}).Create(row).Error, "%T", row)
			require.Error(t, db.Create(row).Error, "%T: a second one is a duplicate", row)
			require.NoError(t, db.Model(row).Where("app = ?", "").Update("version", 2).Error, "%T", row)
		}
	})
}
