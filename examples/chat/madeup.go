package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/convostore/convostore/store"
)

// madeUp is a model that knows nothing and needs no network. The same turn has the same answer.
type madeUp struct{ delay time.Duration }

func (*madeUp) name() string { return "made-up" }

func (m *madeUp) answer(ctx context.Context, t turn, write func(string) error) (store.Usage, error) {
	text := compose(t.question(), t.seed)
	usage := store.Usage{FinishReason: "stop", TokensIn: int64(len(t.messages))}
	for _, word := range strings.SplitAfter(strings.TrimPrefix(text, t.said), " ") {
		select {
		case <-ctx.Done():
			return usage, ctx.Err()
		case <-time.After(m.delay):
		}
		if err := write(word); err != nil {
			return usage, err
		}
		usage.TokensOut++
	}
	return usage, nil
}

var openings = []string{
	"Good question.", "Let me think about that.", "There are two sides to this.", "In short: it depends.",
}

var thoughts = []string{
	"What matters most is who reads it later, and what they need to know.",
	"A small step that can be taken back is worth more than a big one that cannot.",
	"It helps to write down what should hold, and to look whether it does.",
	"Most of the work is in the cases that nobody thinks of first.",
	"Whoever measures before and after knows more than whoever only measures after.",
	"The simplest thing that works tends to be read by the most people.",
	"Names are cheap to change today and dear to change next year.",
	"If two things can go wrong at once, sooner or later they do.",
}

var lists = []string{
	"- **First** look at what is there.\n- **Then** change one thing.\n- **Last** look again.",
	"1. Ask what it is for.\n2. Try the easy way.\n3. Keep notes, such as `notes.md`.",
	"- It is **safe**: nothing gets lost.\n- It is **small**: one file, one table.\n- It is [documented](https://pkg.go.dev/context).",
}

var blocks = []string{
	"```go\nfor word := range answer {\n\tfmt.Print(word)\n}\n```",
	"```sql\nSELECT title, last_seq\nFROM conversations\nORDER BY last_message_at DESC;\n```",
}

// compose makes an answer of some 120 words, with a bit of everything that a page has to show.
func compose(question string, seed int64) string {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(question))
	random := rand.New(rand.NewPCG(hash.Sum64(), uint64(seed))) //nolint:gosec // it makes up sentences
	order := random.Perm(len(thoughts))
	pick := func(from []string) string { return from[random.IntN(len(from))] }
	sentences := func(from, to int) string {
		var some []string
		for _, i := range order[from:to] {
			some = append(some, thoughts[i])
		}
		return strings.Join(some, " ")
	}
	return fmt.Sprintf("%s You asked about “%s”. %s\n\n%s\n\n%s\n\n%s\n\n%s",
		pick(openings), excerpt(question, 80), sentences(0, 3), pick(lists), sentences(3, 5), pick(blocks), sentences(5, 8))
}
