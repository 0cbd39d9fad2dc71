package inbox_test

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// TestScale measures the pages of a big inbox: CONVOSTORE_TEST_CONVERSATIONS conversations, or a few
// without it, which shows that it works and no more.
func TestScale(t *testing.T) {
	const few = 300
	threads := few
	if text := os.Getenv("CONVOSTORE_TEST_CONVERSATIONS"); text != "" {
		var err error
		threads, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	w := newWorld(t)
	at := w.clock.Now().Add(-time.Duration(threads) * time.Minute)
	for i := range threads {
		c := &conversation.Conversation{Subject: fmt.Sprintf("Offer %d", i), LeadID: fmt.Sprintf("lead-%d", i%1000)}
		c.Messages = []*message.Message{{
			Direction: message.DirectionInbound, SenderEmail: "lead@acme.example", Content: fmt.Sprintf("How much are %d chairs?", i), SentAt: at.Add(time.Duration(i) * time.Minute),
		}}
		require.NoError(t, w.mine.Conversations().Create(t.Context(), c))
		if i%20 == 0 {
			w.drafted(c.Messages[0], "90 euros.")
		}
	}
	long := &conversation.Conversation{Subject: "A long one"}
	for i := range 200 {
		long.Messages = append(long.Messages, &message.Message{
			Role: message.Roles()[i%2], Content: fmt.Sprintf("**Message %d** with a [link](https://a.example) and\n\n- a list\n- of two\n\n```go\nfmt.Println(%d)\n```", i, i),
		})
	}
	require.NoError(t, w.mine.Conversations().Create(t.Context(), long))
	for _, p := range []string{"/", "/?view=drafts", "/?view=all", path(long.ID), path(long.ID) + "?view=all", "/search?q=chairs"} {
		var took []time.Duration
		for range 11 {
			begun := time.Now()
			require.Equal(t, http.StatusOK, w.get("ann", p).code)
			took = append(took, time.Since(begun))
		}
		slices.Sort(took)
		t.Logf("%s: median %s, slowest %s", p, took[5], took[10])
	}
}
