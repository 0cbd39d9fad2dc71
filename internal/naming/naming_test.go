package naming

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/rule"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tables              Tables
		table, quoted, name string
	}{
		{Tables{}, "messages", `"messages"`, `"messages"`},
		{Tables{Prefix: "app_"}, "app_messages", `"app_messages"`, `"app_messages"`},
		{Tables{Schema: "crm"}, "crm.messages", `"crm"."messages"`, `"messages"`},
		{Tables{Prefix: "app_", Schema: "crm"}, "crm.app_messages", `"crm"."app_messages"`, `"app_messages"`},
	} {
		require.NoError(t, c.tables.Validate())
		require.Equal(t, c.table, c.tables.Table("messages"))
		require.Equal(t, c.quoted, c.tables.Quoted("messages"))
		require.Equal(t, c.name, c.tables.Name("messages"))
	}
}

func TestBadNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{`a"`, "a'", "a.b", "A", "1a", "a b", "a-b", "a\n", "ä", "a\x00", strings.Repeat("a", 64)} {
		require.ErrorIs(t, Tables{Prefix: bad}.Validate(), rule.ErrInvalid, "%q", bad)
		require.ErrorIs(t, Tables{Schema: bad}.Validate(), rule.ErrInvalid, "%q", bad)
	}
	require.NoError(t, Tables{Prefix: strings.Repeat("a", 20), Schema: strings.Repeat("a", 63)}.Validate())
	require.ErrorIs(t, Tables{Prefix: strings.Repeat("a", 21)}.Validate(), rule.ErrInvalid)
	require.ErrorIs(t, Tables{Schema: "pg_x"}.Validate(), rule.ErrInvalid)
	require.NoError(t, Tables{Prefix: "pg_"}.Validate())
}
