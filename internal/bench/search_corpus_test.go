package bench

import (
	"cmp"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/internal/vector"
)

const (
	// searchModel is the name under which the vectors are kept.
	searchModel = "clusters"
	// perConversation is how many messages a conversation has.
	perConversation = 10
	// queryCount is how many vectors are looked for, none of which is in the database.
	queryCount = 50
	// similarLimit is how many are asked for, and the k of recall@k.
	similarLimit = 10
)

// searchCorpus is what the search benchmarks look into: the messages by number, each with
// a text and a vector, and the truth about the nearest of them.
type searchCorpus struct {
	messages int
	vector   func(i int) []float32
	texts    []string
	inTexts  map[string]int
	queries  [][]float32
	nearest  map[uuid.UUID][]nearestOnes
}

// searchScope is a user with a share of the messages, or everybody.
type searchScope struct {
	name string
	user uuid.UUID
}

var searchScopes = []searchScope{
	{"a user with 0.5 %", id(kindUser, 1)},
	{"a user with 5 %", id(kindUser, 2)},
	{"a user with 50 %", id(kindUser, 3)},
	{"all users", uuid.Nil},
}

// ownerOf says whose a conversation is: shares as in searchScopes, and of the rest each of
// 200 users has the same.
func ownerOf(conversation int) uuid.UUID {
	switch at := conversation % 1000; {
	case at < 5:
		return id(kindUser, 1)
	case at < 55:
		return id(kindUser, 2)
	case at < 555:
		return id(kindUser, 3)
	}
	return id(kindUser, 4+conversation%200)
}

// deletedMessage says of which messages only a row is left: one in fifty.
func deletedMessage(i int) bool { return i%50 == 3 }

func (c *searchCorpus) conversations() int { return c.messages / perConversation }

// conversationOf spreads the messages: conversations go on at the same time.
func (c *searchCorpus) conversationOf(i int) int { return i % c.conversations() }

func (c *searchCorpus) seqOf(i int) int { return i/c.conversations() + 1 }

func (c *searchCorpus) ownerOf(i int) uuid.UUID { return ownerOf(c.conversationOf(i)) }

// newSearchCorpus has no vectors if vector is nil.
func newSearchCorpus(messages int, vector func(i int) []float32) *searchCorpus {
	c := &searchCorpus{messages: messages, vector: vector, nearest: map[uuid.UUID][]nearestOnes{}}
	c.texts, c.inTexts = writeTexts(messages)
	if vector == nil {
		return c
	}
	for i := range queryCount {
		c.queries = append(c.queries, vector(messages+i))
	}
	for _, s := range searchScopes {
		c.nearest[s.user] = make([]nearestOnes, queryCount)
	}
	return c
}

// compare lets a vector take its place among the nearest of each query.
func (c *searchCorpus) compare(i int, v []float32) {
	if deletedMessage(i) {
		return
	}
	for k, q := range c.queries {
		at := numbered{i, vector.Dot(q, v)}
		c.nearest[uuid.Nil][k].add(at)
		if own := c.nearest[c.ownerOf(i)]; own != nil {
			own[k].add(at)
		}
	}
}

// numbered is a message by its number with its similarity.
type numbered struct {
	message    int
	similarity float32
}

// nearestOnes are the best so far, best first.
type nearestOnes []numbered

func (n *nearestOnes) add(m numbered) {
	if len(*n) == similarLimit && (*n)[similarLimit-1].similarity >= m.similarity {
		return
	}
	at, _ := slices.BinarySearchFunc(*n, m, func(a, b numbered) int { return cmp.Compare(b.similarity, a.similarity) })
	*n = slices.Insert(*n, at, m)
	*n = (*n)[:min(similarLimit, len(*n))]
}

// recall is the share of the nearest that were found.
func (c *searchCorpus) recall(user uuid.UUID, query int, hits []*hit) float64 {
	truth := c.nearest[user][query]
	right := 0
	for _, h := range hits {
		if slices.ContainsFunc(truth, func(n numbered) bool { return id(kindMessage, n.message) == h.ID }) {
			right++
		}
	}
	return float64(right) / float64(len(truth))
}

// searchMessages is how many messages the run has, which an environment variable changes.
func searchMessages(t *testing.T, variable string) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return 200_000
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err)
	require.Zero(t, n%10_000, variable+" is a multiple of 10,000")
	return n
}
