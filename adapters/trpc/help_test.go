package trpc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
)

type ctx = context.Context

var (
	key     = session.Key{AppName: "travel", UserID: "ann", SessionID: "s"}
	userKey = session.UserKey{AppName: "travel", UserID: "ann"}
)

func open(t *testing.T, d bothtest.Database) store.Store {
	t.Helper()
	return d.Store(t, convostore.WithMigrate(migrate.Options{}))
}

func create(t *testing.T, s session.Service, state session.StateMap) *session.Session {
	t.Helper()
	got, err := s.CreateSession(t.Context(), key, state)
	require.NoError(t, err)
	return got
}

func get(t *testing.T, s session.Service, opts ...session.Option) *session.Session {
	t.Helper()
	got, err := s.GetSession(t.Context(), key, opts...)
	require.NoError(t, err)
	require.NotNil(t, got)
	return got
}

// said is an event of the user's, all at one time.
func said(i int, delta map[string][]byte) *event.Event {
	return &event.Event{
		ID: fmt.Sprintf("e%d", i), Author: "user", Timestamp: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), StateDelta: delta,
		Version: event.CurrentVersion, Response: &model.Response{Choices: []model.Choice{{Message: model.NewUserMessage(fmt.Sprintf("text %d", i))}}},
	}
}
