package message_test

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

func TestRoles(t *testing.T) {
	for _, r := range message.Roles() {
		assert.True(t, r.Valid(), r)
		assertEnum[message.Role](t, r, string(r))
	}
	assert.False(t, message.Role("").Valid())
	for _, bad := range []message.Role{"User", "user ", "functions"} {
		assert.False(t, bad.Valid(), bad)
		assertUnknown(t, message.RoleTool, string(bad), "role")
	}
	assert.Equal(t, message.DirectionInbound, message.RoleUser.Direction())
	assert.Equal(t, message.DirectionOutbound, message.RoleAssistant.Direction())
	assert.Equal(t, message.DirectionNone, message.RoleSystem.Direction())
	assert.Equal(t, message.DirectionNone, message.RoleTool.Direction())
	assert.Equal(t, message.DirectionNone, message.RoleDeveloper.Direction())
	assert.Equal(t, message.DirectionNone, message.Role("else").Direction())
}

// TestFunctionIsTool: older APIs call the role of a tool's result function.
func TestFunctionIsTool(t *testing.T) {
	var r message.Role
	require.NoError(t, json.Unmarshal([]byte(`"function"`), &r))
	assert.Equal(t, message.RoleTool, r)
}

func TestKinds(t *testing.T) {
	for _, k := range message.Kinds() {
		assert.True(t, k.Valid(), k)
		assertEnum[message.Kind](t, k, string(k))
	}
	for _, bad := range []message.Kind{"", "Note", "mail"} {
		assert.False(t, bad.Valid(), bad)
	}
	assertUnknown(t, message.KindNote, "mail", "kind")
}

func TestStates(t *testing.T) {
	for _, s := range message.States() {
		assert.True(t, s.Valid(), s)
		assertEnum[message.State](t, s, string(s))
	}
	for _, bad := range []message.State{"", "done"} {
		assert.False(t, bad.Valid(), bad)
	}
	assertUnknown(t, message.StateFailed, "done", "state")
}

func TestDeliveries(t *testing.T) {
	for _, d := range message.Deliveries() {
		assert.True(t, d.Valid(), d)
		assertEnum[message.Delivery](t, d, string(d))
	}
	assert.True(t, message.DeliveryNone.Valid())
	value, err := message.DeliveryNone.Value()
	require.NoError(t, err)
	assert.Nil(t, value, "no delivery is NULL")
	var scanned message.Delivery
	require.NoError(t, scanned.Scan(nil))
	assertUnknown(t, message.DeliverySent, "gone", "delivery")
}

func TestDirections(t *testing.T) {
	for _, d := range message.Directions() {
		assert.True(t, d.Valid(), d)
		assert.Equal(t, d, d.Role().Direction(), "there and back")
		assertEnum[message.Direction](t, d, string(d))
	}
	assert.True(t, message.DirectionNone.Valid())
	assert.Empty(t, message.DirectionNone.Role())
	value, err := message.DirectionNone.Value()
	require.NoError(t, err)
	assert.Nil(t, value, "no direction is NULL")
	for _, bad := range []message.Direction{"Inbound", "in", "both"} {
		assert.False(t, bad.Valid(), bad)
		assert.Empty(t, bad.Role())
		assertUnknown(t, message.DirectionInbound, string(bad), "direction")
	}
}

func TestProviders(t *testing.T) {
	assert.True(t, message.ProviderGmail.Valid())
	assert.True(t, message.ProviderPostmark.Valid())
	assert.False(t, message.Provider("").Valid())
	assert.False(t, message.Provider("Gmail").Valid())
}

type enum interface {
	comparable
	fmt.Stringer
	driver.Valuer
}

// assertEnum encodes and decodes a known value as JSON and as SQL.
func assertEnum[T enum, P interface {
	*T
	sql.Scanner
}](t *testing.T, v T, text string) {
	t.Helper()
	assert.Equal(t, text, v.String())
	doc, err := json.Marshal(map[T]T{v: v})
	require.NoError(t, err)
	assert.JSONEq(t, fmt.Sprintf("{%q:%q}", text, text), string(doc))
	var decoded map[T]T
	require.NoError(t, json.Unmarshal(doc, &decoded))
	assert.Equal(t, map[T]T{v: v}, decoded)

	value, err := v.Value()
	require.NoError(t, err)
	assert.Equal(t, text, value)
	for _, src := range []any{value, []byte(text)} {
		var scanned T
		require.NoError(t, P(&scanned).Scan(src))
		assert.Equal(t, v, scanned)
	}
	var scanned T
	require.Error(t, P(&scanned).Scan(1), "a number is no %T", v)
}

// assertUnknown asserts that decoding an unknown value fails with an error that names the
// field and not the value, and that it leaves the destination unchanged.
func assertUnknown[T enum](t *testing.T, before T, text, field string) {
	t.Helper()
	got := before
	err := json.Unmarshal(fmt.Appendf(nil, "%q", text), &got)
	var invalid *rule.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, field, invalid.Field)
	assert.Equal(t, before, got)
}
