package store_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// TestTenantID has ids that were computed with uuid.uuid5 of Python. Rows are stored under them:
// none may ever change.
func TestTenantID(t *testing.T) {
	t.Parallel()
	for name, id := range map[string]string{
		"42":                         "214ce0b0-ea90-5e4e-ac1c-0602fbf6b802",
		"ann@example.com":            "9e659f72-a12e-5b1e-b5a3-9b7100312ccf",
		"Ann":                        "dc8f8569-a305-528d-bb96-1302320b8df0",
		"ann":                        "04b36088-8b68-5a45-a43a-6a264f6b9c7e",
		"Zo\u00eb":                   "f521d9c6-2a95-5b3b-b88d-c72e43e54834",
		"Zoe\u0308":                  "d07bd0d3-caee-577e-b7a8-01d35692852c",
		"a\x00b":                     "fde15b18-8b30-5b71-9b83-011597f04317",
		strings.Repeat("x", 100_000): "e909b0eb-a6bf-58cd-abff-eef12d863ffb",
		"":                           uuid.Nil.String(),
	} {
		assert.Equal(t, id, store.TenantID(name).String())
	}
	seen := map[uuid.UUID]bool{}
	for n := range 10_000 {
		seen[store.TenantID(strconv.Itoa(n))] = true
	}
	assert.Len(t, seen, 10_000)
}

// TestTheTenantWithoutANameIsNobody: a name that got lost reaches no rows.
func TestTheTenantWithoutANameIsNobody(t *testing.T) {
	t.Parallel()
	st, err := sqlite.OpenMemory(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, st.Close()) })
	nobody := st.ForUser(store.TenantID(""))
	require.ErrorIs(t, nobody.Conversations().Create(t.Context(), &conversation.Conversation{}), store.ErrInvalid)
	_, err = nobody.Maintenance().EraseUser(t.Context())
	require.ErrorIs(t, err, store.ErrInvalid)
}
