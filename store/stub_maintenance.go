package store
import "errors"
var errStub = errors.New("stub")

import (
	"context"
	"github.com/convostore/convostore/conversation"
	"github.com/google/uuid"
)

func (s maintenance) Retain(ctx context.Context, p RetentionPolicy) (out RetentionResult, err error) {
	return out, errStub
}
func (s maintenance) Analyze(ctx context.Context) error    { return errStub }
func (s maintenance) Vacuum(ctx context.Context) error     { return errStub }
func (s maintenance) VacuumFull(ctx context.Context) error { return errStub }
func (s maintenance) Reindex(ctx context.Context) error    { return errStub }
func (s conversations) Hold(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return nil, errStub
}
func (s conversations) Release(ctx context.Context, id uuid.UUID) (*conversation.Conversation, error) {
	return nil, errStub
}
