package bench

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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

func (h handFinderPostgres) words(ctx context.Context, user uuid.UUID, word string) ([]*hit, error) {
	mine, args := of(user, " AND m.user_id = $3", word, textLimit+1)
	return pgHits(ctx, h.plain, `SELECT `+hitColumns+`, ts_rank_cd(m.search, q) AS score
		FROM websearch_to_tsquery('simple', $1) q CROSS JOIN messages m`+joinConversations+`
		WHERE m.search @@ q AND `+liveRows+mine+` ORDER BY score DESC, m.created_at DESC, m.id DESC LIMIT $2`, args...)
}

func (h handFinderPostgres) ranked(ctx context.Context, user uuid.UUID, word string, most int) ([]*hit, error) {
	mine, args := of(user, " AND m.user_id = $4", word, textLimit+1, most)
	return pgHits(ctx, h.plain, `WITH newest AS MATERIALIZED (
			SELECT m.id, m.user_id, m.created_at, m.search FROM messages m`+joinConversations+`
			WHERE m.search @@ websearch_to_tsquery('simple', $1) AND `+liveRows+mine+`
			ORDER BY m.created_at DESC, m.id DESC LIMIT $3),
		best AS MATERIALIZED (
			SELECT id, user_id, created_at, ts_rank_cd(search, websearch_to_tsquery('simple', $1)) AS score FROM newest
			ORDER BY score DESC, created_at DESC, id DESC LIMIT $2)
		SELECT `+hitColumns+`, score FROM best JOIN messages m ON m.id = best.id AND m.user_id = best.user_id`+joinConversations+`
		ORDER BY score DESC, m.created_at DESC, m.id DESC`, args...)
}

func (h handFinderPostgres) newest(ctx context.Context, user uuid.UUID, word string) ([]*hit, error) {
	mine, args := of(user, " AND m.user_id = $3", word, textLimit+1)
	return pgHits(ctx, h.plain, `SELECT `+hitColumns+`, 0::float8
		FROM messages m`+joinConversations+`
		WHERE m.search @@ websearch_to_tsquery('simple', $1) AND `+liveRows+mine+`
		ORDER BY m.created_at DESC, m.id DESC LIMIT $2`, args...)
}
