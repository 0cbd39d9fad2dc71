package a2a_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	sdk "github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/adapters/a2a"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
	"github.com/convostore/convostore/store"
)

// TestBesideInMemory gives the same random steps to the in-memory store of a2a-go and to two
// stores on one database in turns, and compares all answers and errors.
func TestBesideInMemory(t *testing.T) {
	t.Parallel()
	steps := 120
	if testrun.Full() {
		steps = 1500
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		b := &beside{T: t, Rand: rand.New(rand.NewPCG(26, 11)), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
		now := func() time.Time { return b.now }
		for _, st := range []store.Store{open(t, d), twice{open(t, d)}} {
			b.own = append(b.own, a2a.New(st, a2a.Options{Authenticator: who, Now: now}))
		}
		b.theirs = taskstore.NewInMemory(&taskstore.InMemoryStoreConfig{Authenticator: who, TimeProvider: now})
		for range steps {
			b.step()
		}
		for _, user := range []string{"ann", "bob"} {
			b.walk(user, &sdk.ListTasksRequest{IncludeArtifacts: true, HistoryLength: new(-1), PageSize: 3})
		}
		require.Positive(t, b.updates, "some updates are not refused")
		require.Positive(t, b.refused, "some are")
	})
}

// twice runs each transaction two times, as a store does after a deadlock.
type twice struct{ store.Store }

func (s twice) Transaction(ctx context.Context, run func(tx store.Store) error) error {
	_ = s.Store.Transaction(ctx, func(tx store.Store) error {
		return errors.Join(run(tx), errors.New("rolled back"))
	})
	return s.Store.Transaction(ctx, run)
}

type beside struct {
	*testing.T
	*rand.Rand
	own              []*a2a.TaskStore
	theirs           *taskstore.InMemory
	now              time.Time
	updates, refused int
}

func pick[T any](b *beside, from ...T) T { return from[b.IntN(len(from))] }

func (b *beside) step() {
	b.now = b.now.Add(time.Duration(b.IntN(3)) * time.Nanosecond)
	user := pick(b, "ann", "bob")
	ctx, own := as(b.Context(), user), pick(b, b.own...)
	id := sdk.TaskID(fmt.Sprint(user, "/", b.IntN(8)))
	switch b.IntN(6) {
	case 0:
		task := b.change(newTask(string(id), pick(b, "one", "two", "")))
		v, err := own.Create(ctx, task)
		v2, err2 := b.theirs.Create(ctx, task)
		b.equal(v, v2, err, err2)
	case 1, 2, 3:
		before, err := b.theirs.Get(ctx, id)
		if err != nil {
			before = &taskstore.StoredTask{Task: newTask(string(id), "one")}
		}
		req := &taskstore.UpdateRequest{Task: b.change(before.Task)}
		req.PrevVersion = pick(b, taskstore.TaskVersionMissing, before.Version, before.Version, before.Version+1)
		v, err := own.Update(ctx, req)
		v2, err2 := b.theirs.Update(ctx, req)
		b.equal(v, v2, err, err2)
		if err == nil {
			b.updates++
		} else {
			b.refused++
		}
	case 4:
		got, err := own.Get(ctx, id)
		got2, err2 := b.theirs.Get(ctx, id)
		b.equal(got, got2, err, err2)
	case 5:
		req := &sdk.ListTasksRequest{
			ContextID: pick(b, "", "", "one", "none"), IncludeArtifacts: b.IntN(2) == 0, PageSize: pick(b, 0, 1, 2, 100, 101, -1),
			Status: pick(b, "", "", sdk.TaskStateWorking, sdk.TaskStateCompleted), HistoryLength: pick(b, nil, new(0), new(1), new(-1), new(200)),
		}
		if b.IntN(2) == 0 {
			req.StatusTimestampAfter = new(b.now.Add(-time.Duration(b.IntN(50)) * time.Nanosecond))
		}
		b.walk(user, req)
	}
}

// change returns a task as an agent, or a client who does what he likes, may leave it.
func (b *beside) change(task *sdk.Task) *sdk.Task {
	for range 1 + b.IntN(3) {
		at := b.IntN(len(task.History) + 1)
		switch b.IntN(9) {
		case 0, 1, 2:
			task.History = append(task.History, b.message())
		case 3:
			task.History = slices.Insert(task.History, at, b.message())
		case 4:
			if at < len(task.History) {
				task.History = slices.Delete(task.History, at, at+1)
			}
		case 5:
			if at < len(task.History) {
				task.History = append(task.History, task.History[at]) // the same message twice
			}
		case 6:
			if task.Status.Message != nil {
				task.History = append(task.History, task.Status.Message)
			}
			task.Status = sdk.TaskStatus{State: pick(b, sdk.TaskStateWorking, sdk.TaskStateCompleted, sdk.TaskStateUnspecified)}
			task.Status.Message, task.Status.Timestamp = pick(b, nil, b.message()), pick(b, nil, new(b.now))
		case 7:
			a := &sdk.Artifact{ID: sdk.ArtifactID(fmt.Sprint(b.IntN(5))), Parts: b.message().Parts, Metadata: map[string]any{"n": 1.5}}
			task.Artifacts = pick(b, nil, append(task.Artifacts, a))
		case 8:
			task.ContextID = pick(b, "one", "two", "")
			task.Metadata = map[string]any{"k": pick[any](b, nil, "v", []any{1.0, map[string]any{"deep": true}})}
		}
	}
	return task
}

func (b *beside) message() *sdk.Message {
	parts := []*sdk.Part{
		sdk.NewTextPart(fmt.Sprint("text ", b.IntN(20))), sdk.NewTextPart(""), sdk.NewTextPart("\x00 <&> é"),
		sdk.NewRawPart([]byte{0, 1, 255}), sdk.NewDataPart([]any{"x", 2.5}), sdk.NewFileURLPart("https://example.com", "text/html"),
	}
	b.Shuffle(len(parts), func(i, k int) { parts[i], parts[k] = parts[k], parts[i] })
	m := sdk.NewMessage(pick(b, sdk.MessageRoleAgent, sdk.MessageRoleUser, sdk.MessageRoleUnspecified), parts[:1+b.IntN(3)]...)
	m.ID = pick(b, m.ID, "same", "")
	m.TaskID = pick(b, "", sdk.TaskID("other"))
	return m
}

// walk compares all pages of a list, and the tokens that lead to them.
func (b *beside) walk(user string, req *sdk.ListTasksRequest) {
	b.Helper()
	ctx, req2 := as(b.Context(), user), new(*req)
	for {
		got, err := pick(b, b.own...).List(ctx, req)
		got2, err2 := b.theirs.List(ctx, req2)
		if err2 == nil && got2.Tasks == nil {
			got2.Tasks = []*sdk.Task{} // [] and not null in JSON
		}
		b.equal(got, got2, err, err2)
		if err != nil || got.NextPageToken == "" {
			return
		}
		req.PageToken, req2.PageToken = got.NextPageToken, got2.NextPageToken
	}
}

// equal compares two answers as a client sees them, and the kinds of two errors.
func (b *beside) equal(own, theirs any, err, err2 error) {
	b.Helper()
	for _, kind := range []error{
		taskstore.ErrTaskAlreadyExists, taskstore.ErrConcurrentModification, sdk.ErrTaskNotFound,
		sdk.ErrInvalidRequest, sdk.ErrUnauthenticated,
	} {
		require.Equal(b, errors.Is(err2, kind), errors.Is(err, kind), "%v beside %v", err, err2)
	}
	if err2 != nil {
		require.Error(b, err)
		return
	}
	require.NoError(b, err)
	require.Equal(b, asJSON(b.T, theirs), asJSON(b.T, own))
}
