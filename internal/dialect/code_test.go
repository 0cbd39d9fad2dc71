package dialect

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// fieldError has its code where mattn's driver has it.
type fieldError struct{ ExtendedCode int }

func (fieldError) Error() string { return "database is locked" }

func TestCodeInsideOfOtherErrors(t *testing.T) {
	t.Parallel()
	busy, other := fieldError{5}, errors.New("other")
	for _, err := range []error{
		busy, &busy, fmt.Errorf("one: %w", busy), fmt.Errorf("two: %w: %w", other, busy), errors.Join(other, fmt.Errorf("three: %w", busy)),
	} {
		require.Equal(t, Retry, KindOf(err), "%v", err)
		require.Equal(t, "5", CodeOf(err), "%v", err)
	}
	require.Equal(t, Other, KindOf(errors.Join(other, nil)))
	require.Empty(t, CodeOf(fmt.Errorf("%w, %w", other, other)))
}
