package main

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/tmc/langchaingo/memory/sqlite3"
)

// langchain has a history for each session, all on one pool.
func (f file) langchain(ctx context.Context, o options, path string) (peer, error) {
	db, err := sql.Open("sqlite", f.dsn(path))
	if err != nil {
		return peer{}, err
	}
	histories := make([]*sqlite3.SqliteChatMessageHistory, o.threads+100)
	for i := range histories {
		// A limit keeps the first messages, not the newest: there has to be room for all.
		histories[i] = sqlite3.NewSqliteChatMessageHistory(sqlite3.WithDB(db), sqlite3.WithContext(ctx),
			sqlite3.WithSession("session-"+strconv.Itoa(i)), sqlite3.WithLimit(1_000_000))
	}
	for _, h := range histories[:o.threads] {
		for range o.messages {
			if err := h.AddUserMessage(ctx, text); err != nil {
				return peer{}, errors.Join(err, db.Close())
			}
		}
	}
	return peer{
		name: "langchaingo v0.1.14", close: db.Close,
		appendOne: func(ctx context.Context, i int) error {
			return histories[o.threads+i%100].AddUserMessage(ctx, text)
		},
		last50: func(ctx context.Context, i int) error {
			all, err := histories[i%o.threads].Messages(ctx)
			return expect(len(all[max(0, len(all)-newest):]), min(newest, o.messages), err)
		},
	}, nil
}
