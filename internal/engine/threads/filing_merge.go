package threads

import (
	"context"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
)

func mergeFiled(ctx context.Context, sc scope.Scope, from, into uuid.UUID) error {
	panic("merge")
}
