package main

import (
	"context"
	"database/sql"
	"errors"

	"github.com/philippgille/chromem-go"
	_ "modernc.org/sqlite" // reads the vectors for the other side

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/vector"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

func openStore(mode store.SimilarMode, opts ...convostore.Option) func(context.Context, options) (search, func() error, error) {
	return func(ctx context.Context, o options) (search, func() error, error) {
		st, err := sqlite.Open(ctx, o.db, opts...)
		if err != nil {
			return nil, nil, err
		}
		return func(ctx context.Context, v []float32) ([]string, error) {
			found, err := st.AllUsers().Search().SimilarMessages(ctx, store.SimilarTo{Vector: v},
				store.SimilarOptions{Model: o.model, Limit: o.limit, Mode: mode})
			ids := make([]string, len(found.Hits))
			for i, h := range found.Hits {
				ids[i] = h.Message.ID.String()
			}
			return ids, err
		}, st.Close, nil
	}
}

// openChromem loads the vectors of live messages and nothing else: no texts, no users.
func openChromem(ctx context.Context, o options) (search, func() error, error) {
	notUsed := func(context.Context, string) ([]float32, error) {
		return nil, errors.New("every document has its vector")
	}
	collection, err := chromem.NewDB().CreateCollection("messages", nil, notUsed)
	if err != nil {
		return nil, nil, err
	}
	db, err := sql.Open("sqlite", o.db)
	if err != nil {
		return nil, nil, err
	}
	defer db.Close() //nolint:errcheck // it only reads
	if err := load(ctx, db, o.model, collection); err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, v []float32) ([]string, error) {
		found, err := collection.QueryEmbedding(ctx, v, o.limit, nil, nil)
		ids := make([]string, len(found))
		for i, r := range found {
			ids[i] = r.ID
		}
		return ids, err
	}, func() error { return nil }, nil
}

func load(ctx context.Context, db *sql.DB, model string, to *chromem.Collection) error {
	rs, err := db.QueryContext(ctx, `SELECT e.message_id, e.embedding FROM message_embeddings e
		JOIN messages m ON m.id = e.message_id AND m.user_id = e.user_id WHERE e.model = ? AND m.deleted_at IS NULL`, model)
	if err != nil {
		return err
	}
	defer rs.Close()
	for rs.Next() {
		var (
			id   string
			blob sql.RawBytes
		)
		if err := rs.Scan(&id, &blob); err != nil {
			return err
		}
		n, ok := vector.Dimensions(blob)
		if !ok {
			return errors.New("message " + id + " has no vector that can be read")
		}
		if err := to.AddDocument(ctx, chromem.Document{ID: id, Embedding: vector.Decode(blob, n)}); err != nil {
			return err
		}
	}
	return rs.Err()
}
