package rule_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/rule"
)

func TestInvalidError(t *testing.T) {
	err := fmt.Errorf("append: %w", rule.Invalid("limit", "is not between 1 and %d", 1000))
	require.ErrorIs(t, err, rule.ErrInvalid)
	require.NotErrorIs(t, err, rule.ErrConflict)
	var invalid *rule.InvalidError
	require.ErrorAs(t, err, &invalid)
	assert.Equal(t, "limit", invalid.Field)
	assert.Equal(t, "append: convostore: invalid limit: is not between 1 and 1000", err.Error())
}

func TestTransitionError(t *testing.T) {
	err := error(&rule.TransitionError{Of: "suggestion", From: "rejected", To: "approved"})
	require.ErrorIs(t, err, rule.ErrConflict)
	require.NotErrorIs(t, err, rule.ErrInvalid)
	require.NotErrorIs(t, err, errors.New("convostore: conflict"), "a sentinel is itself, not its text")
	assert.EqualError(t, err, "convostore: a suggestion that is rejected cannot become approved")
}
