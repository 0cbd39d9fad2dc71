package zonetest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/suggestion"
)

// Dimensions are those of the vectors that Times writes.
const Dimensions = 3

// moments are in order, but their texts with these offsets are not.
var moments = []time.Time{
	time.Date(2026, 1, 1, 23, 30, 0, 123_456_000, time.FixedZone("", 9*3600)),
	time.Date(2026, 1, 1, 15, 0, 0, 0, time.UTC),
	time.Date(2026, 1, 1, 10, 45, 0, 1000, time.FixedZone("", -5*3600)),
}

// Times writes times of other offsets into every column of every model, in every way that plain
// GORM has, and requires each moment back, in order, and conditions that hold for moments.
func Times(t *testing.T, db *gorm.DB) {
	t.Helper()
	user := uuid.New()
	parent := thread(user)
	require.NoError(t, db.Create(parent).Error)
	columns := 0
	for _, fresh := range factories(parent) {
		stmt := &gorm.Statement{DB: db}
		require.NoError(t, stmt.Parse(fresh()))
		for _, f := range stmt.Schema.Fields {
			if isTime(f) {
				columns++
				t.Run(stmt.Schema.Table+"."+f.DBName, func(t *testing.T) { column(t, db, f, fresh) })
			}
		}
	}
	require.Greater(t, columns, 35)
}

func isTime(f *schema.Field) bool {
	if f.DBName == "" {
		return false
	}
	switch f.IndirectFieldType {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[gorm.DeletedAt]():
		return true
	}
	return false
}

// count makes names that are unique in the process.
var count int

func name() string { count++; return fmt.Sprint("name", count) }

// factories make valid rows, of which none is there yet.
func factories(c *conversation.Conversation) []func() any {
	user, m := c.UserID, c.Messages[0].ID
	return []func() any{
		func() any { return &conversation.Conversation{ID: uuid.New(), UserID: user, Status: "active"} },
		func() any {
			count++
			return &message.Message{
				ID: uuid.New(), UserID: user, ConversationID: c.ID, Seq: int64(count + 1000), Role: "user", Kind: "message", State: "complete",
			}
		},
		func() any {
			at := time.Unix(1, 0).UTC()
			return &suggestion.Suggestion{
				ID: uuid.New(), UserID: user, ConversationID: c.ID, SuggestedContent: "x", Status: "approved", ReviewedAt: &at, DraftContent: "x", DraftAt: &at,
			}
		},
		func() any {
			return &message.Embedding{MessageID: m, UserID: user, Model: name(), ConversationID: c.ID, Vector: message.Vector{1, 2, 3}}
		},
		func() any { return &message.Ref{MessageID: m, UserID: user, Provider: "p", Ref: name()} },
		func() any { return &message.Vote{MessageID: m, UserID: user, Voter: name(), Value: 1} },
		func() any {
			until := time.Unix(1, 0).UTC()
			return &message.OutboxEntry{ID: uuid.New(), UserID: user, MessageID: m, Channel: name(), ClaimedBy: "w", ClaimedUntil: &until}
		},
		func() any { return &conversation.Label{ConversationID: c.ID, UserID: user, Label: name()} },
		func() any { return &conversation.Read{ConversationID: c.ID, UserID: user, Reader: name()} },
		func() any { return &conversation.State{ConversationID: c.ID, UserID: user, Key: name(), Version: 1} },
		func() any { return &conversation.UserState{UserID: user, App: "a", Key: name(), Version: 1} },
		func() any { return &conversation.AppState{App: "a", Key: name(), Version: 1} },
		func() any {
			return &conversation.Summary{ID: uuid.New(), UserID: user, ConversationID: c.ID, FromSeq: 1, ToSeq: 1, Content: "x"}
		},
	}
}

// column writes the moments into one column, in a transaction that is rolled back.
func column(t *testing.T, db *gorm.DB, f *schema.Field, fresh func() any) {
	t.Helper()
	ways := map[string]func(tx *gorm.DB, row any, at time.Time) error{
		"create": func(tx *gorm.DB, row any, at time.Time) error {
			set(t, f, row, at)
			return tx.Session(&gorm.Session{SkipHooks: true}).Create(row).Error
		},
	}
	if f.Updatable {
		create := func(tx *gorm.DB, row any) error {
			set(t, f, row, moments[1])
			return tx.Session(&gorm.Session{SkipHooks: true}).Create(row).Error
		}
		ways["update"] = func(tx *gorm.DB, row any, at time.Time) error {
			if err := create(tx, row); err != nil {
				return err
			}
			return tx.Unscoped().Model(row).Update(f.DBName, at).Error
		}
		ways["update column"] = func(tx *gorm.DB, row any, at time.Time) error {
			if err := create(tx, row); err != nil {
				return err
			}
			return tx.Unscoped().Model(row).UpdateColumn(f.DBName, at).Error
		}
		ways["save"] = func(tx *gorm.DB, row any, at time.Time) error {
			if err := create(tx, row); err != nil {
				return err
			}
			set(t, f, row, at)
			return tx.Unscoped().Session(&gorm.Session{SkipHooks: true}).Save(row).Error
		}
	}
	for way, write := range ways {
		tx := db.Begin()
		t.Cleanup(func() { tx.Rollback() }) // of a test that has failed
		for _, at := range moments {
			require.NoError(t, write(tx, fresh(), at), way)
		}
		check(t, tx, f, way, fresh())
		require.NoError(t, tx.Rollback().Error)
	}
}

func set(t *testing.T, f *schema.Field, row any, at time.Time) {
	t.Helper()
	require.NoError(t, f.Set(t.Context(), reflect.ValueOf(row).Elem(), at))
}

// check reads the moments back. Rows from before have other times.
func check(t *testing.T, tx *gorm.DB, f *schema.Field, way string, model any) {
	t.Helper()
	if way == "save" && f.AutoUpdateTime > 0 {
		return // which GORM sets to now
	}
	find := func(condition string, at time.Time) (found []time.Time) {
		rows := reflect.New(reflect.SliceOf(reflect.TypeOf(model)))
		require.NoError(t, tx.Unscoped().Where(f.DBName+" < ?", moments[2].Add(time.Hour).In(moments[0].Location())).
			Where(f.DBName+" "+condition+" ?", at).Order(f.DBName).Find(rows.Interface()).Error)
		for i := range rows.Elem().Len() {
			value, _ := f.ValueOf(t.Context(), rows.Elem().Index(i))
			found = append(found, instant(value))
		}
		return found
	}
	same := func(want, got []time.Time) {
		require.Len(t, got, len(want), way)
		for i := range want {
			require.True(t, want[i].Equal(got[i]), "%s: %s is not %s", way, got[i], want[i])
		}
	}
	same(moments, find(">=", moments[0]))
	same(moments[1:], find(">=", moments[1].In(moments[0].Location())))
	same(moments[2:], find(">", moments[1].In(moments[2].Location())))
	same(moments[:1], find("=", moments[0].UTC()))
	if tx.Name() == "sqlite" {
		var texts []string
		require.NoError(t, tx.Table(f.Schema.Table).Where("CAST("+f.DBName+" AS text) >= '2026-01-01 1'").Pluck("CAST("+f.DBName+" AS text)", &texts).Error)
		require.GreaterOrEqual(t, len(texts), len(moments), way)
		for _, text := range texts {
			require.True(t, strings.HasSuffix(text, "+00:00"), "%s: %s", way, text)
		}
	}
}

func instant(value any) time.Time {
	switch v := value.(type) {
	case time.Time:
		return v
	case *time.Time:
		return *v
	}
	return value.(gorm.DeletedAt).Time //nolint:forcetypeassert // isTime knows these three
}
