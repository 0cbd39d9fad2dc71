package storetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// Correspondence is a number of mails that answer one another, some of which are not there.
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
	for i := range n {
		group := i % (1 + n/10)
		c.ids = append(c.ids, id(i))
		c.from = append(c.from, person(group))
		to := person(group)
		if r.IntN(6) == 0 {
			to += ", " + person(r.IntN(1+n/10))
		}
		c.to = append(c.to, to)
		var references []string
		inReplyTo := ""
		if r.IntN(5) > 0 {
			parent := n + r.IntN(1+n/5)
			if i > 0 && r.IntN(6) > 0 {
				parent = r.IntN(i)
			}
			if parent < len(parents) {
				parents[i] = append([]int{parent}, parents[parent]...)
			}
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
func (c *correspondence) file(t testing.TB, mine store.Scope, seed uint64) []string {
	t.Helper()
	order := rand.New(rand.NewPCG(seed, 2)).Perm(len(c.ids)) //nolint:gosec // as above
	for _, i := range order {
		f, err := mine.Messages().File(t.Context(), c.mail(i), store.FileOptions{})
		require.NoError(t, err)
		require.True(t, f.Created)
	}
	threads := map[string]uuid.UUID{}
	for m, err := range mine.Messages().AllByUser(t.Context(), store.MessageFilter{}) {
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
