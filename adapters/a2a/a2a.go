// Package a2a keeps the tasks of Agent2Agent servers in convostore: a [taskstore.Store] of a2a-go
// on SQLite and PostgreSQL.
//
//	st, err := sqlite.Open(ctx, "agents.db", convostore.WithMigrate(migrate.Options{}))
//	handler := a2asrv.NewHandler(executor, a2asrv.WithTaskStore(a2a.New(st, a2a.Options{})))
//
// A context is a conversation, which has the tasks of the context one beside the other. What is
// said in a task, its history and the message of its status, are messages: their text is what
// people read and search, and the message itself is the payload, whole. The rest of a task, its
// artifacts among it, is a state of the conversation. So the rest of the library works on tasks:
// search, reports, retention, erasure of a user. A message that somebody edited or deleted there
// is edited or missing in the task.
//
// It answers as the in-memory store of a2a-go does, but for these:
//
//   - A user sees no task of another one: Get and Update return [a2a.ErrTaskNotFound], and two
//     users may have a task of the same id.
//   - A user without a name has no tasks, unless Options.Tenant says whose they are.
//   - What comes back went through JSON: numbers in metadata are float64, and bytes in texts that
//     are not UTF-8 are U+FFFD. A part that JSON of A2A cannot carry is refused.
package a2a

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"github.com/google/uuid"

	"github.com/convostore/convostore/store"
)

// Options are the options of New. The zero value works.
type Options struct {
	// App is the host's name of the agent, as in Conversation.App. Agents with different names
	// share no tasks.
	App string
	// Authenticator names the user of a call. Nil takes the user of the server's call context, as
	// a server does that is given no store.
	Authenticator taskstore.Authenticator
	// Tenant returns the owner of the rows of a user, store.TenantID(user) if it is nil. Users with
	// different names need different owners. A user for whom it returns the nil UUID is refused
	// with [a2a.ErrUnauthenticated], by default the one without a name.
	Tenant func(user string) uuid.UUID
	// Now gives the time of an update, by which lists are sorted. Nil takes time.Now.
	Now func() time.Time
}

// TaskStore is a taskstore.Store on a store. It is safe for concurrent use, also from several
// processes.
type TaskStore struct {
	st store.Store
	o  Options
}

var _ taskstore.Store = (*TaskStore)(nil)

// New returns the task store. The caller closes the store.
func New(st store.Store, o Options) *TaskStore {
	if o.Authenticator == nil {
		o.Authenticator = a2asrv.NewTaskStoreAuthenticator()
	}
	if o.Tenant == nil {
		o.Tenant = store.TenantID
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &TaskStore{st: st, o: o}
}

// ExternalKey is the external key of a context's conversation. A task without a context has a
// conversation of its own, see TaskKey.
func ExternalKey(app, contextID string) string {
	return "a2a:" + url.PathEscape(app) + "/" + contextID
}

// TaskKey is the external key of the conversation of a task without a context.
func TaskKey(app string, id a2a.TaskID) string {
	return "a2a-task:" + url.PathEscape(app) + "/" + string(id)
}

// conversationKey is the external key of the conversation in which a task belongs.
func (s *TaskStore) conversationKey(task *a2a.Task) string {
	if task.ContextID == "" {
		return TaskKey(s.o.App, task.ID)
	}
	return ExternalKey(s.o.App, task.ContextID)
}

// caller returns the name of the user who calls, and the owner of his rows.
func (s *TaskStore) caller(ctx context.Context) (name string, tenant uuid.UUID, err error) {
	name, err = s.o.Authenticator(ctx)
	if err != nil {
		return "", uuid.Nil, fmt.Errorf("a2a: who calls: %w", err)
	}
	tenant = s.o.Tenant(name)
	if tenant == uuid.Nil {
		return "", uuid.Nil, fmt.Errorf("a2a: a user without a name: %w", a2a.ErrUnauthenticated)
	}
	return name, tenant, nil
}

// Create stores a task that is not there yet, and returns its version. It returns
// taskstore.ErrTaskAlreadyExists if the user has a task of this id, store.ErrConflict if somebody
// deleted the conversation of its context, and store.ErrInvalid if the task is nil, has no id, or
// has something that cannot be kept.
func (s *TaskStore) Create(ctx context.Context, task *a2a.Task) (taskstore.TaskVersion, error) {
	e, err := encode(task)
	if err != nil {
		return taskstore.TaskVersionMissing, fmt.Errorf("a2a: create task: %w", err)
	}
	_, tenant, err := s.caller(ctx)
	if err != nil {
		return taskstore.TaskVersionMissing, err
	}
	w := writer{TaskStore: s, tenant: tenant, task: task, encoded: e}
	err = s.st.Transaction(ctx, func(tx store.Store) error {
		w.tx, w.scope = tx, tx.ForUser(tenant)
		return w.create(ctx)
	})
	if errors.As(err, new(*store.VersionConflictError)) {
		err = taskstore.ErrTaskAlreadyExists // another process created it at the same time
	}
	if err != nil {
		return taskstore.TaskVersionMissing, fmt.Errorf("a2a: create task %q: %w", task.ID, err)
	}
	return w.version, nil
}

// Update puts a task in the place of the one with its id, and returns the new version. With a
// version in PrevVersion it returns taskstore.ErrConcurrentModification if the task has another
// one; without, the last update wins. It returns a2a.ErrTaskNotFound if the user has no such task,
// and store.ErrInvalid as Create does.
func (s *TaskStore) Update(ctx context.Context, req *taskstore.UpdateRequest) (taskstore.TaskVersion, error) {
	var task *a2a.Task
	if req != nil {
		task = req.Task
	}
	e, err := encode(task)
	if err != nil {
		return taskstore.TaskVersionMissing, fmt.Errorf("a2a: update task: %w", err)
	}
	_, tenant, err := s.caller(ctx)
	if err != nil {
		return taskstore.TaskVersionMissing, err
	}
	w := writer{TaskStore: s, tenant: tenant, task: task, encoded: e}
	for {
		err = s.st.Transaction(ctx, func(tx store.Store) error {
			w.tx, w.scope = tx, tx.ForUser(tenant)
			return w.update(ctx, req.PrevVersion)
		})
		if !errors.As(err, new(*store.VersionConflictError)) {
			break
		}
		if err = taskstore.ErrConcurrentModification; req.PrevVersion != taskstore.TaskVersionMissing {
			break
		}
		// The other one of two updates without a version was quicker, and this is the last one.
	}
	if err != nil {
		return taskstore.TaskVersionMissing, fmt.Errorf("a2a: update task %q: %w", task.ID, err)
	}
	return w.version, nil
}

// Get returns a task with its version, or a2a.ErrTaskNotFound.
func (s *TaskStore) Get(ctx context.Context, id a2a.TaskID) (*taskstore.StoredTask, error) {
	_, tenant, err := s.caller(ctx)
	if err != nil {
		return nil, err
	}
	if !validID(string(id)) {
		return nil, fmt.Errorf("a2a: get task: %w", a2a.ErrTaskNotFound) // nobody could create it
	}
	r := reader{db: s.st.DB(ctx), app: s.o.App, tenant: tenant}
	d, task, err := r.get(id, whole)
	if err != nil {
		return nil, fmt.Errorf("a2a: get task %q: %w", id, err)
	}
	return &taskstore.StoredTask{Task: task, Version: d.Version}, nil
}
