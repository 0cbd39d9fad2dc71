package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

// TestAppendManyOfOneAsOfMore does the same steps in two conversations: one message at a time, and each
// with an expected seq, for which the statements of a batch are needed.
func TestAppendManyOfOneAsOfMore(t *testing.T) {
	t.Parallel()
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := d.Store(t, convostore.WithMigrate(migrate.Options{WithoutFullText: true}))
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		for round := range 12 {
			var logs [2][]string
			for way := range 2 {
				logs[way] = appendsOneByOne(t, st, rand.New(rand.NewPCG(seed, uint64(round))), way == 1, round%2 == 1)
			}
			require.Equal(t, logs[0], logs[1], "round %d", round)
		}
	})
}

func appendsOneByOne(t *testing.T, st store.Store, r *rand.Rand, long, inTx bool) (log []string) {
	t.Helper()
	ctx, user := t.Context(), uuid.New()
	names := map[uuid.UUID]string{}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var cs [3]uuid.UUID
	for i := range cs {
		c := &conversation.Conversation{CreatedAt: at}
		require.NoError(t, st.ForUser(user).Conversations().Create(ctx, c))
		cs[i] = c.ID
		names[c.ID] = fmt.Sprint("c", i)
	}
	cs[2] = uuid.New()
	names[cs[2]] = "none"
	ids := make([]uuid.UUID, 5)
	for i := range ids {
		ids[i] = uuid.New()
		names[ids[i]] = fmt.Sprint("id", i)
	}
	for step := range 40 {
		c := cs[[]int{0, 0, 0, 0, 1, 1, 2}[r.IntN(7)]]
		m := &message.Message{Role: message.RoleUser, Content: fmt.Sprint(step), SentAt: at.Add(time.Duration(step) * time.Second)}
		if r.IntN(3) == 0 {
			m.ID = ids[r.IntN(len(ids))]
		}
		if r.IntN(3) == 0 {
			m.IdempotencyKey = fmt.Sprint("k", r.IntN(3))
		}
		if r.IntN(4) == 0 {
			m.PostmarkMessageID = fmt.Sprint("p", r.IntN(3))
		}
		if r.IntN(6) == 0 {
			m.GmailMessageID = fmt.Sprint("g", r.IntN(3))
		}
		if r.IntN(5) == 0 {
			m.ParentSeq = new(r.Int64N(6) - 1)
		}
		if r.IntN(6) == 0 {
			m.Embeddings = []*message.Embedding{{Model: "m", Vector: message.Vector{1, 2, 3}}}
		}
		what, pick := r.IntN(12), r.Uint64()
		run := func(in store.Store) error {
			ms := in.ForUser(user).Messages()
			switch what {
			case 0, 1:
				live, _ := ms.Last(ctx, c, 20)
				if len(live) > 0 {
					_, err := ms.Delete(ctx, live[pick%uint64(len(live))].ID)
					return err
				}
			case 2:
				_, _ = ms.SetHead(ctx, c, int64(pick%4))
			default:
				log = append(log, appendOne(ctx, in, user, c, m, long, names))
			}
			return nil
		}
		if inTx {
			require.NoError(t, st.Transaction(ctx, run))
		} else {
			require.NoError(t, run(st))
		}
	}
	for _, c := range cs[:2] {
		all, err := collectMessages(st.ForUser(user).Messages().All(ctx, c, store.MessageFilter{Deleted: store.IncludeDeleted, Branches: store.AllBranches}))
		require.NoError(t, err)
		for _, m := range all {
			log = append(log, told(m, names))
		}
		got, err := st.ForUser(user).Conversations().Get(ctx, c)
		require.NoError(t, err)
		log = append(log, fmt.Sprint(got.LastSeq, got.Status, got.LastMessageAt, got.Branched, num(got.HeadSeq)))
	}
	return log
}

func num(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func told(m *message.Message, names map[uuid.UUID]string) string {
	return fmt.Sprint(m.Content, " ", m.Seq, " ", num(m.ParentSeq), " ", names[m.ID], " ", names[m.ConversationID], " ", m.IdempotencyKey,
		m.PostmarkMessageID, m.GmailMessageID, " ", m.Deleted(), m.SentAt)
}

// appendOne appends a message by either way and tells what came of it.
func appendOne(ctx context.Context, st store.Store, user, c uuid.UUID, m *message.Message, long bool, names map[uuid.UUID]string) string {
	o := store.AppendOptions{}
	if long {
		got, err := st.ForUser(user).Conversations().Get(ctx, c)
		if err == nil {
			o.ExpectedSeq = &got.LastSeq
		} else {
			o.ExpectedSeq = new(int64(0))
		}
	}
	created, err := st.ForUser(user).Messages().AppendMany(ctx, c, []*message.Message{m}, o)
	if err != nil {
		var batch *store.BatchError
		var taken *store.TakenError
		text := ""
		if errors.As(err, &taken) {
			text = " taken " + taken.Field + " " + told(taken.Message, names)
		}
		return strings.NewReplacer(m.ID.String(), "ID", c.String(), "C").Replace(fmt.Sprint("error ", err, text, errors.As(err, &batch), num(m.ParentSeq)))
	}
	return fmt.Sprint(created, told(m, names))
}
