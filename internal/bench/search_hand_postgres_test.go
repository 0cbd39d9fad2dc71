package bench

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/convostore/convostore/store"
)

// handFinderPostgres is pgx with pgvector's types in binary. The settings of the index are
// made once for a connection, and so is that it plans anew each time: a plan for any user
// takes the index of users, also for the one that has half of all vectors.
type handFinderPostgres struct{ plain, vectors *pgxpool.Pool }

var _ handFinder = handFinderPostgres{}

const vectorSettings = `SELECT set_config('hnsw.ef_search', '400', false), set_config('hnsw.iterative_scan', 'strict_order', false),
	set_config('plan_cache_mode', 'force_custom_plan', false)`

func openHandFinderPostgres(ctx context.Context, dsn string) (handFinder, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, err
	}
	config.MaxConns = connections
	plain, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	config = config.Copy()
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		if err := registerVector(ctx, conn); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, vectorSettings)
		return err
	}
	vectors, err := pgxpool.NewWithConfig(ctx, config)
	return handFinderPostgres{plain, vectors}, err
}

func (h handFinderPostgres) close() {
	h.plain.Close()
	h.vectors.Close()
}

func pgHits(ctx context.Context, pool *pgxpool.Pool, text string, args ...any) ([]*hit, error) {
	rs, err := pool.Query(ctx, text, args...)
	if err != nil {
		return nil, err
	}
	defer rs.Close()
	return collect(rs, textLimit+1, scanHit)
}

// of adds a user to the arguments and, to a statement, the condition for it.
func of(user uuid.UUID, condition string, args ...any) (string, []any) {
	if user == uuid.Nil {
		return "", args
	}
	return condition, append(args, user)
}

// exact compares vectors alone and looks up the rows of the nearest, of which a few may be
// deleted. The sum keeps HNSW away.
func (h handFinderPostgres) exact(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error) {
	mine, args := of(user, " AND user_id = $4", binaryVector(v), searchModel, similarLimit)
	return pgHits(ctx, h.vectors, `SELECT `+hitColumns+`, 1 - e.distance FROM (
			SELECT message_id, user_id, (embedding <=> $1) + 0 AS distance FROM message_embeddings
			WHERE model = $2`+mine+` ORDER BY distance LIMIT 50) e
		JOIN messages m ON m.id = e.message_id AND m.user_id = e.user_id`+joinConversations+`
		WHERE `+liveRows+` ORDER BY e.distance LIMIT $3`, args...)
}

func (h handFinderPostgres) indexed(ctx context.Context, user uuid.UUID, v []float32) ([]*hit, error) {
	mine, args := of(user, " AND e.user_id = $4", binaryVector(v), searchModel, similarLimit)
	return pgHits(ctx, h.vectors, `SELECT `+hitColumns+`, 1 - (e.embedding <=> $1) FROM message_embeddings e
		JOIN messages m ON m.id = e.message_id AND m.user_id = e.user_id`+joinConversations+`
		WHERE e.model = $2 AND `+liveRows+mine+` ORDER BY e.embedding <=> $1 LIMIT $3`, args...)
}

// handWordsPostgres is a table of messages of its own, with a tsvector beside each text and an
// index of them.
var handWordsPostgres = []string{
	`CREATE TABLE hand_messages AS SELECT * FROM messages WHERE deleted_at IS NULL`,
	`ALTER TABLE hand_messages ADD PRIMARY KEY (id, user_id)`,
	`CREATE INDEX ON hand_messages (user_id, created_at DESC, id DESC)`,
	`CREATE INDEX ON hand_messages (created_at DESC, id DESC)`,
}

var handIndexPostgres = []string{
	`ALTER TABLE hand_messages ADD COLUMN search tsvector GENERATED ALWAYS AS (to_tsvector('simple', content)) STORED`,
	`CREATE INDEX hand_search_idx ON hand_messages USING gin (search)`,
}

func (h handFinderPostgres) find(ctx context.Context, user uuid.UUID, a ask) ([]*hit, error) {
	asked := a.tsquery()
	if a.kind == substring {
		asked = "%" + a.words[0] + "%"
	}
	mine, args := of(user, " AND m.user_id = $3", asked, textLimit+1)
	const from = ` FROM hand_messages m` + joinConversations + ` WHERE ` + liveRows
	newest := ` ORDER BY m.created_at DESC, m.id DESC LIMIT $2`
	switch {
	case a.kind == substring:
		return pgHits(ctx, h.plain, `SELECT `+hitColumns+`, 0::float8`+from+` AND m.content ILIKE $1`+mine+newest, args...)
	case a.order == store.Newest:
		return pgHits(ctx, h.plain, `SELECT `+hitColumns+`, 0::float8`+from+` AND m.search @@ to_tsquery('simple', $1)`+mine+newest, args...)
	}
	return pgHits(ctx, h.plain, `WITH best AS MATERIALIZED (SELECT m.id, m.user_id, ts_rank_cd(m.search, to_tsquery('simple', $1)) AS score`+from+`
			AND m.search @@ to_tsquery('simple', $1)`+mine+` ORDER BY score DESC, m.created_at DESC, m.id DESC LIMIT $2)
		SELECT `+hitColumns+`, best.score FROM best JOIN hand_messages m ON m.id = best.id AND m.user_id = best.user_id`+joinConversations+`
		ORDER BY best.score DESC, m.created_at DESC, m.id DESC`, args...)
}
