package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/store/sqlite"
)

func TestQuickstartTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quickstart.db")
	first := output(t, path)
	for _, line := range []string{
		`started "Website improvements for your business" with lead 123`,
		"redelivered stored again: false, it is message 2 already",
		"needs reply 1 conversation",
		"sent as message 3",
		"sent again nothing to do, it is message 3 already",
		"needs reply 0 conversations",
		"now waiting, 3 messages, 1 suggestion",
		`title "Groceries", was "New chat"`,
		"deleted one message, 4 messages to be seen",
		"restored the chat, 4 messages to be seen",
		"restored the message, 5 messages to be seen",
		"page 1 messages [5 4 3]",
		"page 2 messages [2 1]",
		"rows 2 conversations, 8 messages, 1 suggestion",
	} {
		assert.Contains(t, first, line)
	}

	second := output(t, path)
	for _, line := range []string{
		`continuing "Website improvements for your business" after 3 messages`,
		"redelivered stored again: false, it is message 4 already",
		"sent as message 5",
		`continuing "Groceries" after 5 messages`,
		"rows 2 conversations, 14 messages, 2 suggestions",
	} {
		assert.Contains(t, second, line)
	}
}

// output runs the program and takes out the alignment, which a test should not fix.
func output(t *testing.T, path string) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), path, &out), out.String())
	lines := strings.Split(out.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.Join(strings.Fields(line), " ")
	}
	return strings.Join(lines, "\n")
}

func TestQuickstartNamesWhatIsWrong(t *testing.T) {
	err := run(t.Context(), filepath.Join(t.TempDir(), "missing", "quickstart.db"), &bytes.Buffer{})
	require.ErrorContains(t, err, "no such file or directory")
}

// TestQuickstartAfterAnInterruption starts where a run was killed between deleting the
// chat and restoring it.
func TestQuickstartAfterAnInterruption(t *testing.T) {
	path := filepath.Join(t.TempDir(), "quickstart.db")
	output(t, path)
	st, err := sqlite.Open(t.Context(), path)
	require.NoError(t, err)
	c, err := st.ForUser(userID).Conversations().GetByExternalKey(t.Context(), "chat/todo")
	require.NoError(t, err)
	_, err = st.ForUser(userID).Conversations().Delete(t.Context(), c.ID)
	require.NoError(t, err)
	require.NoError(t, st.Close())
	assert.Contains(t, output(t, path), `continuing "Groceries" after 5 messages`)
}
