package states

import (
	"slices"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/internal/dialect"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// Changes are checked changes of the states of one place, sorted by key: who writes the same keys
// at the same time locks them in the same order.
type Changes []change

type change struct {
	key string
	// value is nil if the key is to be removed.
	value conversation.Value
}

// removes tells whether a key is to be removed.
func (c Changes) removes() bool {
	return slices.ContainsFunc(c, func(one change) bool { return one.value == nil })
}

// written returns the value to write. Before a key is removed it is written, which locks it, see
// Write.
func (c change) written() []byte {
	if c.value == nil {
		return []byte{}
	}
	return c.value
}

// arrays returns keys and values as the arguments of Unnest.
func (c Changes) arrays() ([]any, error) {
	a := dialect.NewArrays(len(rowTypes))
	for _, one := range c {
		if err := a.Add([]any{one.key, one.written()}); err != nil {
			return nil, err
		}
	}
	return a.Args(), nil
}

// rowTypes are the PostgreSQL types of a key and its value.
var rowTypes = []string{"text", "bytea"}

// checkAll returns the changes of some places, within the bounds of one call.
func checkAll(sc scope.Scope, maps ...store.StateMap) ([]Changes, error) {
	keys, bytes := 0, 0
	all := make([]Changes, len(maps))
	for i, m := range maps {
		if keys += len(m); keys > store.MaxStateKeys {
			return nil, rule.Invalid("states", "has more than %d keys", store.MaxStateKeys)
		}
		changes := make(Changes, 0, len(m))
		for key, value := range m {
			if err := cleanKey(sc, &key); err != nil {
				return nil, err
			}
			bytes += len(key) + len(value)
			changes = append(changes, change{key, value})
		}
		slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.key, b.key) })
		if twice := slices.CompactFunc(slices.Clone(changes), func(a, b change) bool { return a.key == b.key }); len(twice) < len(changes) {
			return nil, rule.Invalid("key", "is that of another one, without what PostgreSQL cannot keep")
		}
		all[i] = changes
	}
	return all, sc.CheckSize("states", bytes)
}

// cleanKey cleans and checks a key.
func cleanKey(sc scope.Scope, key *string) error {
	sc.Clean.Text(key)
	return check.Name("key", *key)
}
