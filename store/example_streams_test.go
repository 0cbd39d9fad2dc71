package store_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// A reply is stored while the model makes it. Somebody who comes later reads on from any byte.
func ExampleMessageStreamer() {
	ctx := context.Background()
	mine, c := open(ctx)
	say(ctx, mine, c, message.RoleUser, "Where is it warm in March?")

	s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	must(err)
	for _, token := range []string{"In ", "Sev", "ille,", " mostly."} {
		must(s.Write(ctx, token)) // a flush now and then
	}
	must(s.Finish(ctx, store.Usage{Model: "m-1", TokensIn: 9, TokensOut: 5, FinishReason: "stop"}))

	for part, err := range mine.Messages().FollowStream(ctx, s.ID(), 3, store.FollowOptions{}) {
		must(err)
		fmt.Printf("%q until byte %d, %s\n", part.Text, part.End, part.State)
	}
	// Output:
	// "Seville, mostly." until byte 19, complete
}

// Stop comes from any process. The writer learns it at its next flush, and what was flushed stays.
func ExampleMessageStreamer_stop() {
	ctx := context.Background()
	mine, c := open(ctx)
	s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	must(err)
	must(s.Write(ctx, "In Seville"))
	must(s.Flush(ctx))

	m, err := mine.Messages().StopStream(ctx, s.ID())
	must(err)
	fmt.Printf("%s: %q, %s\n", m.State, m.Content, m.FinishReason)

	must(s.Write(ctx, ", mostly."))
	var lost *store.StreamError
	if errors.As(s.Flush(ctx), &lost) {
		fmt.Println("the writer:", lost.Reason)
	}
	// Output:
	// interrupted: "In Seville", stopped
	// the writer: stopped
}

// A job ends what writers left behind that were killed.
func ExampleStreamSweeper() {
	ctx := context.Background()
	mine, c := open(ctx)
	s, err := mine.Messages().Stream(ctx, c.ID, &message.Message{Role: message.RoleAssistant}, store.StreamOptions{})
	must(err)
	must(s.Write(ctx, "In Seville"))
	must(s.Flush(ctx))

	n, err := mine.Maintenance().SweepStreams(ctx, time.Minute)
	must(err)
	fmt.Println("not seen for a minute:", n)
	n, err = mine.Maintenance().SweepStreams(ctx, 0)
	must(err)
	fmt.Println("all:", n)
	// Output:
	// not seen for a minute: 0
	// all: 1
}
