package inbox_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/inbox"
)

func TestOptions(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(*inbox.Options){
		"Operator":    func(o *inbox.Options) { o.Operator = nil },
		"Prefix":      func(o *inbox.Options) { o.Prefix = "inbox" },
		"Hosts":       func(o *inbox.Options) { o.Hosts = []string{"https://example.com"} },
		"Secret":      func(o *inbox.Options) { o.Secret = make([]byte, 31) },
		"Undo":        func(o *inbox.Options) { o.Undo = -1 },
		"LeadColumns": func(o *inbox.Options) { o.LeadColumns = make([]string, 21) },
	} {
		o := optionsFor(w.user, w.clock)
		change(&o)
		_, err := inbox.New(w.st, o)
		var refused *inbox.OptionError
		require.ErrorAs(t, err, &refused, field)
		require.Equal(t, field, refused.Field)
	}
	_, err := inbox.New(nil, optionsFor(w.user, w.clock))
	require.ErrorContains(t, err, "nil")
}
