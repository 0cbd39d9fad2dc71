package inbox_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/inbox"
)

// TestHealthSaysWhatWaits: a reply that is due and that nobody takes is said to be so, and also, where
// no worker runs, that none does.
func TestHealthSaysWhatWaits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, w *world) {
		const elsewhere = "This process hands nothing over"
		alone := w.another(func(o *inbox.Options) { o.NoWorker = true })
		page := w.get("ann", "/health").body
		require.NotContains(t, page, "no worker has")
		require.NotContains(t, page, elsewhere)
		require.Contains(t, w.call(alone, newRequest(t.Context(), http.MethodGet, "/health", "ann", nil)).body, elsewhere)

		c, m := w.mail("An offer", "How much are ten?")
		s := w.drafted(m, "90 euros.")
		w.post("ann", path(c.ID)+"/approve", decide(s, "90 euros."))
		require.NotContains(t, w.get("ann", "/health").body, "no worker has", "it can be taken back still")
		w.clock.advance(time.Hour)
		page = w.get("ann", "/health").body
		require.Contains(t, page, "One reply is due, and no worker has it")
		require.Contains(t, page, "Does a worker run?")
		page = w.call(alone, newRequest(t.Context(), http.MethodGet, "/health", "ann", nil)).body
		require.Contains(t, page, "One reply is due, and no worker has it")
		require.Contains(t, page, elsewhere)
		require.NotContains(t, page, "Does a worker run?")
	})
}

// TestHealthBreaksNames: a name of a table may end a line after each of its words.
func TestHealthBreaksNames(t *testing.T) {
	t.Parallel()
	page := newWorld(t).get("ann", "/health?sizes=1").body
	require.Contains(t, page, "<bdi>message_<wbr>embedding_<wbr>claims</bdi>")
	require.Contains(t, page, "<bdi>messages</bdi>")
}
