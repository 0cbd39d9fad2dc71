package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// correspondence is a number of mails that answer one another, some of which are not there.
type correspondence struct {
	ids     []string
	from    []string
	to      []string
	headers [][2]string
}

// newCorrespondence makes mails: some begin a thread, most answer one of the others by In-Reply-To,
// by References or both, and some answer mails that are nowhere. Groups of people write to one
// another, and sometimes to somebody of another group.
func newCorrespondence(seed uint64, n int) *correspondence {
	r := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // for a test that can be repeated
	c := &correspondence{}
	parents := make([][]int, n+n/5) // those behind n are not there
	id := func(i int) string { return fmt.Sprintf("<%d.%d@mail.example>", seed, i) }
	person := func(group int) string { return fmt.Sprintf("p%d@g%d.example", r.IntN(4), group) }
	groups := 1 + n/10
	for i := range n {
		group := i % groups
		c.ids = append(c.ids, id(i))
		c.from = append(c.from, person(group))
		to := person(group)
		if r.IntN(6) == 0 {
			to += ", " + person(r.IntN(groups))
		}
		c.to = append(c.to, to)
		var references []string
		inReplyTo := ""
		if r.IntN(5) > 0 {
			parent := n + r.IntN(n/5)
			if i >= groups && r.IntN(6) > 0 {
				parent = group + groups*r.IntN(i/groups) // of the group
				if r.IntN(20) == 0 {
					parent = r.IntN(i)
				}
			}
			parents[i] = append([]int{parent}, parents[parent]...)
			if r.IntN(4) > 0 {
				inReplyTo = id(parent)
			}
			for _, p := range parents[i] {
				if r.IntN(4) > 0 { // programs cut the list
					references = append([]string{id(p)}, references...)
				}
			}
		}
		c.headers = append(c.headers, [2]string{inReplyTo, strings.Join(references, " ")})
	}
	return c
}

func (c *correspondence) mail(i int) *message.Message {
	m := &message.Message{
		Direction: message.DirectionInbound, Content: c.ids[i], SenderEmail: c.from[i], SentAt: epoch.Add(time.Duration(i-len(c.ids)) * time.Minute),
		Headers: message.Headers{"From": {c.from[i]}, "To": {c.to[i]}, "Message-ID": {c.ids[i]}, "Subject": {"Hello"}},
	}
	for j, name := range []string{"In-Reply-To", "References"} {
		if c.headers[i][j] != "" {
			m.Headers[name] = []string{c.headers[i][j]}
		}
	}
	return m
}

// file files the mails in a random order, and returns of each the first mail that it is together with.
func (c *correspondence) file(t testing.TB, st store.Store, user uuid.UUID, seed uint64) []string {
	t.Helper()
	order := rand.New(rand.NewPCG(seed, 2)).Perm(len(c.ids)) //nolint:gosec // as above
	for part := range slices.Chunk(order, 100) {
		err := st.Transaction(t.Context(), func(tx store.Store) error {
			for _, i := range part {
				f, err := tx.ForUser(user).Messages().File(t.Context(), c.mail(i), store.FileOptions{})
				if err != nil {
					return err
				}
				if !f.Created {
					return fmt.Errorf("%s is not new", c.ids[i])
				}
			}
			return nil
		})
		require.NoError(t, err)
	}
	threads := map[string]uuid.UUID{}
	for m, err := range st.ForUser(user).Messages().AllByUser(t.Context(), store.MessageFilter{}) {
		require.NoError(t, err)
		threads[m.Content] = m.ConversationID
	}
	require.Len(t, threads, len(c.ids))
	first := map[uuid.UUID]string{}
	together := make([]string, len(c.ids))
	for i, id := range c.ids {
		if _, seen := first[threads[id]]; !seen {
			first[threads[id]] = id
		}
		together[i] = first[threads[id]]
	}
	return together
}

// CheckFilingOrder files the same mails in random orders, each for another user, and requires that
// each time the same ones are together. It returns how many conversations there are.
func CheckFilingOrder(tb testing.TB, st store.Store, seed uint64, mails, orders int) int {
	tb.Helper()
	c := newCorrespondence(seed, mails)
	var want []string
	for i := range orders {
		got := c.file(tb, st, uuid.New(), seed+uint64(i))
		if want == nil {
			want = got
		}
		for i := range got {
			require.Equal(tb, want[i], got[i], "what %s is together with", c.ids[i])
		}
	}
	return len(slices.Compact(slices.Sorted(slices.Values(want))))
}
