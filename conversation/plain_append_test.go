package conversation_test

import (
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// emptyThread is a conversation that a host created with its own GORM.
func emptyThread(t *testing.T, db *gorm.DB) *conversation.Conversation {
	t.Helper()
	c := &conversation.Conversation{UserID: uuid.New(), Title: "Chat", CreatedAt: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)}
	require.NoError(t, db.Create(c).Error)
	return c
}

// line is a message of c that no AddMessage has seen.
func line(c *conversation.Conversation, d message.Direction, content string) *message.Message {
	return &message.Message{UserID: c.UserID, ConversationID: c.ID, Direction: d, Content: content}
}

// reload reads what the database has of c, with its messages in order.
func reload(t *testing.T, db *gorm.DB, c *conversation.Conversation) *conversation.Conversation {
	t.Helper()
	var got conversation.Conversation
	require.NoError(t, db.Unscoped().Preload("Messages", message.Oldest).Take(&got, "id = ? AND user_id = ?", c.ID, c.UserID).Error)
	return &got
}

// assertWhole asserts that the messages are numbered 1 to n and that the conversation knows n.
func assertWhole(t *testing.T, got *conversation.Conversation, n int) {
	t.Helper()
	assert.EqualValues(t, n, got.LastSeq)
	require.Len(t, got.Messages, n)
	for i, m := range got.Messages {
		assert.EqualValues(t, i+1, m.Seq)
	}
}

// assertSame compares all columns. Equal times of SQLite differ in the pointer to their zone.
func assertSame(t *testing.T, want, got *conversation.Conversation) {
	t.Helper()
	expected, err := json.Marshal(want)
	require.NoError(t, err)
	actual, err := json.Marshal(got)
	require.NoError(t, err)
	assert.JSONEq(t, string(expected), string(actual))
}

func TestPlainCreateTakesTheSeqFromTheDatabase(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := emptyThread(t, db)
		in := line(c, message.DirectionInbound, "Hello?")
		in.SentAt = time.Date(2025, 2, 1, 0, 0, 0, 0, time.UTC)
		require.NoError(t, db.Create(in).Error)
		assert.EqualValues(t, 1, in.Seq)
		got := reload(t, db, c)
		assertWhole(t, got, 1)
		assert.Equal(t, conversation.StatusNeedsReply, got.Status)
		assertInstant(t, in.SentAt, got.LastMessageAt)
		assert.True(t, got.UpdatedAt.After(c.UpdatedAt))

		note := line(c, message.DirectionOutbound, "call them")
		note.Kind, note.SentAt = message.KindNote, in.SentAt.Add(-time.Hour)
		require.NoError(t, db.Create(note).Error)
		got = reload(t, db, c)
		assertWhole(t, got, 2)
		assert.Equal(t, conversation.StatusNeedsReply, got.Status, "a note answers nobody")
		assertInstant(t, in.SentAt, got.LastMessageAt)

		out := line(c, message.DirectionOutbound, "Hi")
		out.SentAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		require.NoError(t, db.Create(out).Error)
		got = reload(t, db, c)
		assertWhole(t, got, 3)
		assert.Equal(t, conversation.StatusWaiting, got.Status)
		assert.True(t, got.LastMessageAt.Before(time.Now().Add(time.Hour)), "a time in the future counts as now")
	})
}

func TestPlainCreateOfManyMessages(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := emptyThread(t, db)
		batch := make([]*message.Message, 5)
		for i := range batch {
			batch[i] = line(c, message.DirectionInbound, fmt.Sprint(i))
		}
		require.NoError(t, db.Create(batch).Error)
		assertWhole(t, reload(t, db, c), 5)
		values := make([]message.Message, 5)
		for i := range values {
			values[i] = *line(c, message.DirectionInbound, fmt.Sprint(i))
		}
		require.NoError(t, db.CreateInBatches(values, 2).Error)
		assertWhole(t, reload(t, db, c), 10)
		require.NoError(t, db.Save(line(c, message.DirectionOutbound, "saved")).Error)
		got := reload(t, db, c)
		assertWhole(t, got, 11)
		assert.Equal(t, conversation.StatusWaiting, got.Status)
	})
}

func TestPlainAddMessageIsNotCountedTwice(t *testing.T) {
	ways := map[string]func(db *gorm.DB, c *conversation.Conversation, m *message.Message) error{
		"create the message":    func(db *gorm.DB, _ *conversation.Conversation, m *message.Message) error { return db.Create(m).Error },
		"save the conversation": func(db *gorm.DB, c *conversation.Conversation, _ *message.Message) error { return db.Save(c).Error },
		"save with full associations": func(db *gorm.DB, c *conversation.Conversation, _ *message.Message) error {
			return db.Session(&gorm.Session{FullSaveAssociations: true}).Save(c).Error
		},
		"create, then save": func(db *gorm.DB, c *conversation.Conversation, m *message.Message) error {
			if err := db.Create(m).Error; err != nil {
				return err
			}
			return db.Save(c).Error
		},
		"save the row, then create": func(db *gorm.DB, c *conversation.Conversation, m *message.Message) error {
			if err := db.Omit("Messages").Save(c).Error; err != nil {
				return err
			}
			return db.Create(m).Error
		},
	}
	for name, write := range ways {
		t.Run(name, func(t *testing.T) {
			eachDatabase(t, func(t *testing.T, db *gorm.DB) {
				c := leadThread(t, uuid.New())
				require.NoError(t, db.Create(c).Error)
				assertWhole(t, reload(t, db, c), 2)
				for n := 3; n < 6; n++ {
					m := &message.Message{Direction: message.DirectionOutbound, Content: "more"}
					require.NoError(t, c.AddMessage(m))
					require.NoError(t, write(db, c, m))
					got := reload(t, db, c)
					assertWhole(t, got, n)
					assert.Equal(t, conversation.StatusWaiting, got.Status)
					assertInstant(t, c.LastMessageAt, got.LastMessageAt)
				}
			})
		})
	}
}

func TestPlainStaleConversationIsAConflict(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		first, second, third := reload(t, db, c), reload(t, db, c), reload(t, db, c)
		for _, stale := range []*conversation.Conversation{first, second} {
			require.NoError(t, stale.AddMessage(&message.Message{Direction: message.DirectionOutbound, Content: "mine"}))
		}
		require.NoError(t, db.Save(first).Error)
		want := reload(t, db, c)
		require.ErrorIs(t, db.Create(second.Messages[2]).Error, rule.ErrConflict)
		require.ErrorIs(t, db.Save(second).Error, rule.ErrConflict)
		third.Title = "Other"
		require.ErrorIs(t, db.Save(third).Error, rule.ErrConflict, "it would put the status back")
		require.ErrorIs(t, db.Save([]*conversation.Conversation{third}).Error, rule.ErrConflict)
		assertSame(t, want, reload(t, db, c))
		require.NoError(t, db.Model(third).Updates(conversation.Conversation{Title: "Other"}).Error)
		require.NoError(t, db.Model(third).Select("last_seq", "last_message_at", "title").Updates(third).Error)
		got := reload(t, db, c)
		assertWhole(t, got, 3)
		assert.Equal(t, "Other", got.Title)
		assert.True(t, want.LastMessageAt.Equal(got.LastMessageAt))
	})
}

func TestPlainGapIsAConflict(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := emptyThread(t, db)
		m := line(c, message.DirectionInbound, "far")
		m.Seq = 7
		require.ErrorIs(t, db.Create(m).Error, rule.ErrConflict)
		m = line(c, message.DirectionInbound, "nowhere")
		m.ConversationID = uuid.New()
		require.ErrorIs(t, db.Create(m).Error, gorm.ErrRecordNotFound)
		m = line(c, message.DirectionInbound, "somebody else's")
		m.UserID = uuid.New()
		require.ErrorIs(t, db.Create(m).Error, gorm.ErrRecordNotFound)
		require.NoError(t, db.Delete(c).Error)
		require.ErrorIs(t, db.Create(line(c, message.DirectionInbound, "late")).Error, gorm.ErrRecordNotFound)
		assertWhole(t, reload(t, db, c), 0)
	})
}

func TestPlainFailedInsertMovesNothing(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		want := reload(t, db, c)
		twice := line(c, message.DirectionOutbound, "again")
		twice.GmailMessageID = "1234567890abcdef"
		require.Error(t, db.Create(twice).Error)
		assertSame(t, want, reload(t, db, c))
	})
}

func TestPlainWithoutDefaultTransaction(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := emptyThread(t, db)
		db = db.Session(&gorm.Session{SkipDefaultTransaction: true})
		m := line(c, message.DirectionInbound, "Hello?")
		require.ErrorIs(t, db.Create(m).Error, rule.ErrInvalid, "two statements need a transaction")
		m.Seq = 1
		require.ErrorIs(t, db.Create(m).Error, rule.ErrInvalid)
		assertWhole(t, reload(t, db, c), 0)
		m.Seq = 0
		require.NoError(t, db.Transaction(func(tx *gorm.DB) error { return tx.Create(m).Error }))
		assertWhole(t, reload(t, db, c), 1)
		require.NoError(t, db.Create(leadThread(t, uuid.New())).Error, "nothing to move")
	})
}

func TestPlainAppendsOfManyGoroutines(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		if db.Name() == "sqlite" {
			pool, err := db.DB()
			require.NoError(t, err)
			pool.SetMaxOpenConns(1)
		}
		const writers, each = 8, 10
		c := emptyThread(t, db)
		errs := make([]error, writers)
		var wait sync.WaitGroup
		for w := range writers {
			wait.Go(func() {
				for range each {
					if err := db.Create(line(c, message.DirectionInbound, "x")).Error; err != nil {
						errs[w] = err
						return
					}
				}
			})
		}
		wait.Wait()
		for _, err := range errs {
			require.NoError(t, err)
		}
		assertWhole(t, reload(t, db, c), writers*each)
	})
}

// TestPlainNumbersOfALanguageModel: what is NULL when it is zero is bound by serializers of the
// library's own, in each way that GORM writes.
func TestPlainNumbersOfALanguageModel(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := emptyThread(t, db)
		m := line(c, message.DirectionOutbound, "Hi")
		m.Cost, m.TokensIn, m.TokensOut, m.Fence = decimal.RequireFromString("0.0135"), message.MaxTokens, 2, math.MaxInt64
		require.NoError(t, db.Create(m).Error)
		s := draft(leadThread(t, c.UserID))
		s.ConversationID, s.InReplyToMessageID, s.AnswersSeq = c.ID, nil, math.MaxInt64
		require.NoError(t, db.Create(s).Error)
		same := func(cost string) {
			t.Helper()
			got := reload(t, db, c).Messages[0]
			assert.Equal(t, cost, got.Cost.String())
			assert.Equal(t, []int64{m.TokensIn, m.TokensOut, m.Fence}, []int64{got.TokensIn, got.TokensOut, got.Fence})
			require.NoError(t, db.Take(s).Error)
			assert.EqualValues(t, math.MaxInt64, s.AnswersSeq)
		}
		same("0.0135")
		require.NoError(t, db.Save(m).Error)
		same("0.0135")
		require.NoError(t, db.Model(m).Updates(message.Message{Cost: decimal.RequireFromString("1.5")}).Error)
		same("1.5")
		require.NoError(t, db.Model(m).Update("cost", decimal.RequireFromString("99999999.9999999999")).Error)
		same("99999999.9999999999")
		require.NoError(t, db.Model(m).Update("cost", decimal.Zero).Error)
		same("0")
	})
}
