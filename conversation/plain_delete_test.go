package conversation_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/naming"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/suggestion"
)

// storedIn counts the rows of a table, deleted ones included.
func storedIn(t *testing.T, db *gorm.DB, table string) (n int64) {
	t.Helper()
	require.NoError(t, db.Table(table).Count(&n).Error)
	return n
}

// TestPlainUnscopedDelete: a row that goes for good takes what hangs on it along, by the tables'
// own foreign keys, and leaves what is another's. The numbers of a thread are not given again.
func TestPlainUnscopedDelete(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c, other := leadThread(t, uuid.New()), leadThread(t, uuid.New())
		for _, each := range []*conversation.Conversation{c, other} {
			require.NoError(t, db.Create(each).Error)
			require.NoError(t, db.Create(draft(each)).Error)
			require.NoError(t, db.Create(&conversation.Label{ConversationID: each.ID, UserID: each.UserID, Label: "urgent"}).Error)
			require.NoError(t, db.Create(&message.Vote{MessageID: each.Messages[1].ID, UserID: each.UserID, Voter: "ann", Value: message.VoteUp}).Error)
		}
		require.NoError(t, db.Delete(c.Messages[0]).Error, "soft, and stays beside what follows")

		gone := db.Unscoped().Delete(c.Messages[1])
		require.NoError(t, gone.Error)
		assert.EqualValues(t, 1, gone.RowsAffected, "the message alone: what the foreign keys remove is not counted")
		for table, want := range map[string]int64{
			naming.Messages: 3, naming.Embeddings: 1, naming.Votes: 1, naming.Suggestions: 1, naming.Labels: 2, naming.Conversations: 2,
		} {
			assert.Equal(t, want, storedIn(t, db, table), table)
		}
		got := reload(t, db, c)
		assert.EqualValues(t, 2, got.LastSeq)
		assert.Equal(t, conversation.StatusNeedsReply, got.Status, "nobody has answered the deleted message")
		next := line(c, message.DirectionOutbound, "after it")
		require.NoError(t, db.Create(next).Error)
		assert.EqualValues(t, 3, next.Seq, "a number is not given twice")

		gone = db.Unscoped().Select("Messages").Delete(&conversation.Conversation{ID: c.ID, UserID: c.UserID})
		require.NoError(t, gone.Error)
		assert.EqualValues(t, 1, gone.RowsAffected)
		for table, want := range map[string]int64{
			naming.Messages: 2, naming.Embeddings: 1, naming.Votes: 1, naming.Suggestions: 1, naming.Labels: 1, naming.Conversations: 1,
		} {
			assert.Equal(t, want, storedIn(t, db, table), table)
		}
		require.ErrorIs(t, db.Create(line(c, message.DirectionInbound, "too late")).Error, gorm.ErrRecordNotFound)
		whole := reload(t, db, other)
		assertWhole(t, whole, 2)

		require.NoError(t, db.Unscoped().Where("user_id = ?", other.UserID).Delete(&conversation.Conversation{}).Error)
		for _, table := range naming.WithRows() {
			assert.Zero(t, storedIn(t, db, table), table)
		}
		drifts, err := migrate.Verify(t.Context(), db, migrate.Options{Dimensions: dimensions})
		require.NoError(t, err)
		assert.Empty(t, drifts)
	})
}

// TestPlainDeleteIsSoft: what hangs on a deleted conversation stays as it is, and comes back with
// it. Words of what is deleted are not found.
func TestPlainDeleteIsSoft(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		c := leadThread(t, uuid.New())
		require.NoError(t, db.Create(c).Error)
		s := draft(c)
		require.NoError(t, db.Create(s).Error)
		require.NoError(t, db.Delete(c).Error)
		require.ErrorIs(t, db.Take(&conversation.Conversation{}, "id = ?", c.ID).Error, gorm.ErrRecordNotFound)
		require.NoError(t, db.Take(&suggestion.Suggestion{}, "id = ?", s.ID).Error, "its own row is not deleted")
		st, err := convostore.New(t.Context(), db)
		require.NoError(t, err)
		back, err := st.ForUser(c.UserID).Conversations().Restore(t.Context(), c.ID)
		require.NoError(t, err)
		assert.Equal(t, c.Title, back.Title)
		assertWhole(t, reload(t, db, c), 2)
	})
}

// badgeConversation is the table of pairs that a host writes for a many2many.
type badgeConversation struct {
	BadgeID        uint      `gorm:"primaryKey"`
	ConversationID uuid.UUID `gorm:"type:uuid;primaryKey"`
	// GORM takes the whole primary key of a conversation for the pair.
	ConversationUserID uuid.UUID `gorm:"type:uuid;primaryKey"`
}

// TestPlainManyToMany is the way of the README: with a model of the pairs AutoMigrate makes their
// table, and the association works both ways without a change to the library's tables.
func TestPlainManyToMany(t *testing.T) {
	eachDatabase(t, func(t *testing.T, db *gorm.DB) {
		first, second := leadThread(t, uuid.New()), chat(t, uuid.New())
		require.NoError(t, db.Create([]*conversation.Conversation{first, second}).Error)
		want := schemaTexts(t, db)
		require.NoError(t, db.SetupJoinTable(&badge{}, "Conversations", &badgeConversation{}))
		for range 2 {
			require.NoError(t, db.AutoMigrate(&badge{}, &badgeConversation{}))
			assert.Equal(t, want, schemaTexts(t, db))
		}
		b := &badge{ID: 1}
		require.NoError(t, db.Create(b).Error)
		require.NoError(t, db.Model(b).Omit("Conversations.*").Association("Conversations").Append(first, second))
		var got badge
		require.NoError(t, db.Preload("Conversations").Take(&got).Error)
		require.Len(t, got.Conversations, 2)
		got = badge{}
		require.NoError(t, db.Preload("Conversations", conversation.OwnedBy(first.UserID)).Take(&got).Error)
		require.Len(t, got.Conversations, 1)
		assertConversation(t, first, &got.Conversations[0])
		require.NoError(t, db.Model(b).Association("Conversations").Delete(first))
		assert.EqualValues(t, 1, db.Model(b).Association("Conversations").Count())
		assert.EqualValues(t, 2, storedIn(t, db, naming.Conversations))
	})
}
