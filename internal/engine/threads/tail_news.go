package threads

import (
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/internal/engine/watch"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// readNews reads what was appended to conversations or changed in them after places, on the
// primary. It is one statement: of two, the earlier one would have messages as they were before a
// change whose number the later one shows as passed.
func readNews(ctx context.Context, sc scope.Scope, places []watch.Since, bytes int) (map[watch.Key][]*message.Message, bool, error) {
	db, err := sc.ReadingPrimary(ctx)
	if err != nil {
		return nil, false, err
	}
	f, err := sc.SchemaFeatures(db)
	if err == nil && f.Distributed {
		err = store.ErrUnsupported // a subquery for each row, which Citus has for one shard alone
	}
	if err != nil {
		return nil, false, err
	}
	found, more, err := query.Within(db, newsQuery(sc, places), record.MessageDest, (*message.Message).Size, bytes)
	if err != nil || more {
		return nil, false, query.Wrap("read changes", err)
	}
	rows := make(map[watch.Key][]*message.Message, len(places))
	for _, m := range found {
		key := watch.Key{User: m.UserID, Conversation: m.ConversationID}
		rows[key] = append(rows[key], m)
	}
	for _, of := range rows {
		slices.SortFunc(of, func(a, b *message.Message) int { return int(a.Seq - b.Seq) })
	}
	return rows, true, nil
}

func newsQuery(sc scope.Scope, places []watch.Since) *query.Query {
	ids, users := make([]uuid.UUID, len(places)), make([]uuid.UUID, len(places))
	seqs, changes := make([]int64, len(places)), make([]int64, len(places))
	for i, p := range places {
		ids[i], users[i], seqs[i], changes[i] = p.Conversation, p.User, p.Seq, p.Change
	}
	table, args := sc.Dialect.Places(ids, users, seqs, changes)
	of := func(condition string) string {
		return "SELECT " + query.Qualified("m.", record.MessageColumns) + " FROM " +
			sc.Dialect.ForEach("v", sc.Tables.Messages, "m", "m.conversation_id = v.a AND m.user_id = v.b AND "+condition)
	}
	return query.New("WITH v AS "+table+" ", args...).
		Add(of("m.seq > v.c") + " UNION ALL " + of("m.change_seq > v.d AND "+sc.Dialect.Unindexed("m.seq")+" <= v.c"))
}

// apart returns a copy of a message that was read, which shares nothing that can be changed.
func apart(m *message.Message) *message.Message {
	c := *m
	c.ParentSeq, c.HeartbeatAt, c.EditedAt = pointed(m.ParentSeq), pointed(m.HeartbeatAt), pointed(m.EditedAt)
	c.Payload, c.Attachments = slices.Clone(m.Payload), slices.Clone(m.Attachments)
	c.ToolCalls, c.ToolResults, c.Metadata = slices.Clone(m.ToolCalls), slices.Clone(m.ToolResults), slices.Clone(m.Metadata)
	if c.Headers = maps.Clone(m.Headers); c.Headers != nil {
		for name, values := range c.Headers {
			c.Headers[name] = slices.Clone(values)
		}
	}
	return &c
}

func pointed[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
