package engine_test

import (
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/schema"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/pgtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// hostConfigs are settings of a host's GORM that change what a library on top of it
// sees.
func hostConfigs() map[string]*gorm.Config {
	return map[string]*gorm.Config{
		"plain":                    {},
		"TranslateError":           {TranslateError: true},
		"PrepareStmt":              {PrepareStmt: true},
		"NamingStrategy":           {NamingStrategy: schema.NamingStrategy{TablePrefix: "app_", SingularTable: true}},
		"DisableNestedTransaction": {DisableNestedTransaction: true},
		"own naming":               {NamingStrategy: convostore.NewNaming("chat_", "", nil)},
	}
}

func TestHost(t *testing.T) {
	t.Parallel()
	for name, config := range hostConfigs() {
		t.Run(name+" on sqlite", func(t *testing.T) {
			t.Parallel()
			dsn := "file:" + filepath.Join(t.TempDir(), "host.db") +
				"?_foreign_keys=on&_busy_timeout=5000&_journal_mode=WAL&_txlock=immediate&_time_format=sqlite"
			testHost(t, sqlite.Dialector(dsn), config)
		})
		t.Run(name+" on postgres", func(t *testing.T) {
			t.Parallel()
			testHost(t, gormpostgres.Open(pgtest.Database(t)), config)
		})
	}
}

func testHost(t *testing.T, d gorm.Dialector, shared *gorm.Config) {
	t.Helper()
	config := *shared
	config.Logger = logger.Discard
	db, err := gorm.Open(d, &config)
	require.NoError(t, err)
	pool, err := db.DB()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, pool.Close()) })

	// A condition that the host's handle carries is not meant for these tables.
	st, err := convostore.New(t.Context(), db.Where("no_such_column = 1"), convostore.WithMigrate(migrate.Options{}))
	require.NoError(t, err)
	c := redeliverAndConflict(t, st)
	findWithModels(t, db, c)
	surviveInTransaction(t, db, st, c)
}

// redeliverAndConflict needs the errors of the database told apart.
func redeliverAndConflict(t *testing.T, st store.Store) *conversation.Conversation {
	t.Helper()
	ctx := t.Context()
	mine := st.ForUser(uuid.New())
	c := &conversation.Conversation{ExternalKey: "k"}
	require.NoError(t, mine.Conversations().Create(ctx, c))
	require.ErrorIs(t, mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: "k"}), store.ErrConflict)
	for _, want := range []bool{true, false} {
		created, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, GmailMessageID: "g"})
		require.NoError(t, err)
		require.Equal(t, want, created)
	}
	return c
}

func findWithModels(t *testing.T, db *gorm.DB, c *conversation.Conversation) {
	t.Helper()
	var found conversation.Conversation
	require.NoError(t, db.Scopes(conversation.OwnedBy(c.UserID), conversation.NeedsReply).
		Preload("Messages", message.Oldest).First(&found).Error)
	require.Equal(t, c.ID, found.ID)
	require.Len(t, found.Messages, 1)
}

// surviveInTransaction goes on after errors that a careless library lets abort the
// host's transaction.
func surviveInTransaction(t *testing.T, db *gorm.DB, st store.Store, c *conversation.Conversation) {
	t.Helper()
	ctx := t.Context()
	require.NoError(t, db.Transaction(func(tx *gorm.DB) error {
		mine := st.WithTx(tx).ForUser(c.UserID)
		require.ErrorIs(t, mine.Conversations().Create(ctx, &conversation.Conversation{ExternalKey: "k"}), store.ErrConflict)
		created, err := mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleUser, GmailMessageID: "g"})
		require.NoError(t, err)
		require.False(t, created)
		_, err = mine.Messages().Append(ctx, c.ID, &message.Message{Role: message.RoleAssistant, Content: "kept"})
		return err
	}))
	last, err := st.ForUser(c.UserID).Messages().Last(ctx, c.ID, 1)
	require.NoError(t, err)
	require.Equal(t, "kept", last[0].Content)
}

func TestSchemaVersion(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "chat.db")
	st, err := sqlite.Open(ctx, path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	list := func() error {
		_, err := st.ForUser(uuid.New()).Conversations().List(ctx, store.ConversationFilter{}, store.PageRequest{})
		return err
	}

	err = list()
	require.ErrorIs(t, err, store.ErrSchema)
	require.ErrorContains(t, err, "migrate.Up")

	require.NoError(t, migrate.UpTo(ctx, st.DB(ctx), migrate.Options{}, 1))
	require.ErrorIs(t, list(), store.ErrSchema, "an older version")

	require.NoError(t, migrate.Up(ctx, st.DB(ctx), migrate.Options{}))
	require.NoError(t, list())
}
