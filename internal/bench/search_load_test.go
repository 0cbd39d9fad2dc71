package bench

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// searchBase is a database full of messages with vectors, and both sides open on it: they
// only read.
type searchBase struct {
	database
	address string
	st      store.Store
	hand    handFinder
	// noted is how long it took to note all rows, and packed to make segments of them. byHand is
	// how long the index of words by hand took, and vectors those of the vectors. All were made
	// after the rows were there.
	noted, packed, byHand, vectors time.Duration
}

// withoutSearch is how rows are loaded: the indexes come after them.
var withoutSearch = migrate.Options{WithoutFullText: true, WithoutVectorIndex: true}

// newSearchBase fills a database and makes the indexes of search. each sees every vector
// on its way.
func newSearchBase(tb testing.TB, d database, c *searchCorpus, each func(i int, v []float32)) *searchBase {
	tb.Helper()
	b := &searchBase{database: d}
	b.address = d.loaded(tb, c, each)
	b.noted = d.rebuild(tb, b.address, migrate.Options{WithoutVectorIndex: true})
	if d.postgres && c.vector != nil {
		b.vectors = d.rebuild(tb, b.address, migrate.Options{}) - b.noted
	}
	// A store keeps to what the schema could do when it first asked.
	var err error
	b.st, err = d.open(tb.Context(), b.address, migrate.Options{WithoutVectorIndex: c.vector == nil})
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, b.st.Close()) })
	start := time.Now()
	require.NoError(tb, b.st.AllUsers().Maintenance().PackSearch(tb.Context()))
	b.packed = time.Since(start)
	b.byHand = d.wordsByHand(tb, b.address)
	b.hand, err = openHandFinder(tb.Context(), d, b.address)
	require.NoError(tb, err)
	tb.Cleanup(b.hand.close)
	return b
}

// wordsByHand makes an index of words that the library knows nothing of, in tables of its own, and
// returns how long that took.
func (d database) wordsByHand(tb testing.TB, address string) time.Duration {
	tb.Helper()
	db := d.openSQL(tb, address, "")
	defer func() { require.NoError(tb, db.Close()) }()
	tables, index := handWordsSQLite, handIndexSQLite
	if d.postgres {
		tables, index = handWordsPostgres, handIndexPostgres
	}
	execute(tb, db, tables)
	start := time.Now()
	execute(tb, db, index)
	took := time.Since(start)
	analyze(tb, db, d.postgres)
	return took
}

func execute(tb testing.TB, db *sql.DB, statements []string) {
	tb.Helper()
	for _, s := range statements {
		_, err := db.ExecContext(tb.Context(), s)
		require.NoError(tb, err, s)
	}
}

// loaded makes a database with the rows of a corpus and no indexes of search.
func (d database) loaded(tb testing.TB, c *searchCorpus, each func(i int, v []float32)) (address string) {
	tb.Helper()
	ctx := context.Background()
	address = d.fresh(tb)
	if d.postgres {
		roomForBuilding(tb, address)
	}
	st, err := d.open(ctx, address, withoutSearch)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, st.Close()) }()
	if d.postgres {
		loadPostgres(tb, address, c, each)
	} else {
		loadSQLite(tb, st, c, each)
	}
	return address
}

// roomForBuilding lets an HNSW index be built in memory, as a host with so many vectors
// would set it: on disk it takes many times as long.
func roomForBuilding(tb testing.TB, dsn string) {
	tb.Helper()
	setDatabase(tb, dsn, "maintenance_work_mem", "2GB")
}

func (d database) rebuild(tb testing.TB, address string, o migrate.Options) time.Duration {
	tb.Helper()
	ctx := context.Background()
	st, err := d.open(ctx, address, withoutSearch)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, st.Close()) }()
	start := time.Now()
	require.NoError(tb, migrate.RebuildSearch(ctx, st.DB(ctx), o))
	took := time.Since(start)
	db, err := st.DB(ctx).DB()
	require.NoError(tb, err)
	analyze(tb, db, d.postgres)
	return took
}

var (
	conversationInsert = []string{"id", "user_id", "title", "status", "last_seq", "last_message_at", "created_at", "updated_at"}
	messageInsert      = []string{
		"id", "user_id", "conversation_id", "seq", "role", "direction", "content", "sent_at", "created_at", "updated_at", "deleted_at",
	}
	embeddingInsert = []string{"message_id", "user_id", "model", "conversation_id", "embedding", "created_at"}
)

func (c *searchCorpus) conversationRow(j int) []any {
	created, last := c.sentAt(j), c.sentAt(c.messages-c.conversations()+j)
	return []any{id(kindConversation, j), ownerOf(j), "Conversation", "needs_reply", perConversation, last, created, last}
}

func (c *searchCorpus) messageRow(i int) []any {
	at := c.sentAt(i)
	role, direction := "user", "inbound"
	if c.seqOf(i)%2 == 0 {
		role, direction = "assistant", "outbound"
	}
	var deleted any
	if deletedMessage(i) {
		deleted = at.Add(step)
	}
	return []any{
		id(kindMessage, i), c.ownerOf(i), id(kindConversation, c.conversationOf(i)), c.seqOf(i), role, direction,
		c.texts[i], at, at, at, deleted,
	}
}

func (c *searchCorpus) embeddingRow(i int, v any) []any {
	return []any{id(kindMessage, i), c.ownerOf(i), searchModel, id(kindConversation, c.conversationOf(i)), v, c.sentAt(i)}
}

func (c *searchCorpus) sentAt(i int) time.Time { return epoch.Add(time.Duration(i) * step) }

func loadPostgres(tb testing.TB, dsn string, c *searchCorpus, each func(i int, v []float32)) {
	tb.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, dsn)
	require.NoError(tb, err)
	defer conn.Close(ctx) //nolint:errcheck // all was sent
	require.NoError(tb, registerVector(ctx, conn))
	vectors := c.messages
	if c.vector == nil {
		vectors = 0
	}
	for _, table := range []struct {
		name    string
		columns []string
		rows    int
		row     func(i int) []any
	}{
		{"conversations", conversationInsert, c.conversations(), c.conversationRow},
		{"messages", messageInsert, c.messages, c.messageRow},
		{"message_embeddings", embeddingInsert, vectors, func(i int) []any {
			v := c.vector(i)
			each(i, v)
			return c.embeddingRow(i, binaryVector(v))
		}},
	} {
		_, err := conn.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns,
			pgx.CopyFromSlice(table.rows, func(i int) ([]any, error) { return binaryIDs(table.row(i)), nil }))
		require.NoError(tb, err, table.name)
	}
}

// binaryIDs are in the form that a binary COPY takes.
func binaryIDs(row []any) []any {
	for i, v := range row {
		if u, ok := v.(uuid.UUID); ok {
			row[i] = [16]byte(u)
		}
	}
	return row
}

func loadSQLite(tb testing.TB, st store.Store, c *searchCorpus, each func(i int, v []float32)) {
	tb.Helper()
	db, err := st.DB(tb.Context()).DB()
	require.NoError(tb, err)
	insertAll(tb, db, "conversations", conversationInsert, c.conversations(), c.conversationRow)
	insertAll(tb, db, "messages", messageInsert, c.messages, c.messageRow)
	if c.vector == nil {
		return
	}
	insertAll(tb, db, "message_embeddings", embeddingInsert, c.messages, func(i int) []any {
		v := c.vector(i)
		each(i, v)
		return c.embeddingRow(i, vector.Encode(v))
	})
}

// insertAll is one transaction for each 10,000 rows, so that the log stays small.
func insertAll(tb testing.TB, db *sql.DB, table string, columns []string, n int, row func(i int) []any) {
	tb.Helper()
	const part = 10_000
	for from := 0; from < n; from += part {
		tx, err := db.BeginTx(tb.Context(), nil)
		require.NoError(tb, err)
		insert, err := tx.PrepareContext(tb.Context(), insertInto(table, columns)) //nolint:sqlclosecheck // ends with the transaction
		require.NoError(tb, err)
		for i := from; i < min(n, from+part); i++ {
			_, err = insert.ExecContext(tb.Context(), row(i)...)
			require.NoError(tb, err)
		}
		require.NoError(tb, tx.Commit())
	}
}
