package a2a

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
)

const (
	defaultPageSize = 50
	maxPageSize     = 100
	defaultHistory  = 100
)

// The summary of a task is what a list compares, in places that both databases can cut out: when it
// was updated, the time of its status, its state, its id. Bytes compare as the values do.
const (
	instant   = "2006-01-02T15:04:05.000000000Z"
	noInstant = "~" // after every time: a task without a time of its status is in every list
	afterAll  = ":" // after the year 9999, and before noInstant

	updatedAt = "substr(value, 1, 30)"
	statusAt  = "substr(value, 31, 30)"
	stateAt   = "substr(value, 61, 64)"
	idAt      = "substr(value, 125)"
)

// summary makes the summary of the task that is written.
func (w *writer) summary() conversation.Value {
	at := strings.Repeat(noInstant, len(instant))
	if t := w.task.Status.Timestamp; t != nil {
		at = t.UTC().Format(instant)
	}
	return conversation.Value(w.o.Now().UTC().Format(instant) + at + string(padded(w.task.Status.State)) + string(w.task.ID))
}

func padded(state a2a.TaskState) []byte {
	return append([]byte(state), make([]byte, max(maxState-len(state), 0))...)
}

// List returns a page of the user's tasks, the latest update first and then the highest id. A
// request without a page size takes 50, without a history length 100 messages of each. Artifacts
// come if the request asks for them.
//
// The database reads the summaries of all tasks of the user for it, and the tasks of the page. A
// page size out of 1 to 100 is a2a.ErrInvalidRequest, a token that List did not make
// a2a.ErrParseError, and a user without a name a2a.ErrUnauthenticated.
func (s *TaskStore) List(ctx context.Context, req *a2a.ListTasksRequest) (*a2a.ListTasksResponse, error) {
	if req == nil {
		req = &a2a.ListTasksRequest{}
	}
	name, tenant, err := s.caller(ctx)
	if err != nil || name == "" {
		return nil, a2a.ErrUnauthenticated
	}
	size := req.PageSize
	if size == 0 {
		size = defaultPageSize
	}
	if size < 1 || size > maxPageSize {
		return nil, fmt.Errorf("a2a: list tasks: page size must be from 1 to %d, got %d: %w", maxPageSize, size, a2a.ErrInvalidRequest)
	}
	token, err := parseToken(req.PageToken)
	if err != nil {
		return nil, err
	}
	if !validID(req.ContextID) {
		return &a2a.ListTasksResponse{Tasks: []*a2a.Task{}, PageSize: size}, nil
	}
	l := lister{reader: reader{db: s.st.DB(ctx), app: s.o.App, tenant: tenant}, req: req}
	page, total, err := l.summaries(token, size)
	if err != nil {
		return nil, fmt.Errorf("a2a: list tasks: %w", err)
	}
	got := &a2a.ListTasksResponse{TotalSize: int(total), PageSize: size}
	if len(page) > size {
		page = page[:size]
		got.NextPageToken = makeToken(page[size-1])
	}
	if got.Tasks, err = l.tasks(page); err != nil {
		return nil, fmt.Errorf("a2a: list tasks: %w", err)
	}
	return got, nil
}

type lister struct {
	reader
	req *a2a.ListTasksRequest
}

// summaries returns one row more than a page has, if there is one, and how many match.
func (l lister) summaries(after *token, size int) (page []conversation.State, total int64, err error) {
	all := l.matching()
	if err := all.Session(&gorm.Session{}).Count(&total).Error; err != nil {
		return nil, 0, err
	}
	if after != nil {
		all = all.Where("("+updatedAt+" < ? OR "+updatedAt+" = ? AND "+idAt+" < ?)", after.updated, after.updated, after.id)
	}
	err = all.Select("conversation_id", "user_id", "value").Order(updatedAt + " DESC").Order(idAt + " DESC").Limit(size + 1).Find(&page).Error
	return page, total, err
}

// matching selects the summaries that the request asks for.
func (l lister) matching() *gorm.DB {
	live := l.db.Model(&conversation.Conversation{}).Select("id").Where("user_id = ?", l.tenant)
	if l.app == "" {
		live = live.Where("app IS NULL")
	} else {
		live = live.Where("app = ?", l.app)
	}
	if l.req.ContextID != "" {
		live = live.Where("external_key = ?", ExternalKey(l.app, l.req.ContextID))
	}
	q := l.db.Model(&conversation.State{}).
		Where("user_id = ? AND conversation_id IN (?) AND substr(key, 1, ?) = ?", l.tenant, live, len(taskPrefix), taskPrefix)
	if l.req.Status != a2a.TaskStateUnspecified {
		q = q.Where(stateAt+" = ?", padded(l.req.Status))
	}
	if t := l.req.StatusTimestampAfter; t != nil {
		q = q.Where(statusAt+" >= ?", bound(*t))
	}
	return q
}

// bound is the least time of a status that is not before t.
func bound(t time.Time) []byte {
	switch year := t.UTC().Year(); {
	case year < 0:
		return []byte{}
	case year > 9999:
		return []byte(afterAll)
	}
	return []byte(t.UTC().Format(instant))
}

// tasks reads the tasks of a page. One that went away since is left out.
func (l lister) tasks(page []conversation.State) ([]*a2a.Task, error) {
	w := wants{history: defaultHistory, artifacts: l.req.IncludeArtifacts}
	if l.req.HistoryLength != nil {
		w.history = *l.req.HistoryLength
	}
	at := make([]place, len(page))
	for i, row := range page {
		at[i] = place{row.ConversationID, taskOf(row)}
	}
	tasks := make([]*a2a.Task, 0, len(page))
	found, err := l.states(at, w.artifacts)
	if err != nil {
		return nil, err
	}
	for _, p := range at {
		if found[p].document == nil {
			continue
		}
		task, complete, err := l.task(p.conversation, found[p], w)
		if err == nil && !complete {
			_, task, err = l.get(p.task, w)
		}
		if errors.Is(err, a2a.ErrTaskNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, task)
	}
	return tasks, nil
}

func taskOf(row conversation.State) a2a.TaskID { return a2a.TaskID(row.Value[124:]) }

// token is the last row of a page.
type token struct{ updated, id []byte }

// makeToken makes what the in-memory store of a2a-go would make.
func makeToken(row conversation.State) string {
	updated, err := time.Parse(instant, string(row.Value[:len(instant)]))
	if err != nil {
		return "" // the clock of the host is beyond the years of RFC 3339
	}
	return base64.URLEncoding.EncodeToString([]byte(updated.Format(time.RFC3339Nano) + "_" + string(taskOf(row))))
}

func parseToken(s string) (*token, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // nil is the first page
	}
	doc, err := base64.URLEncoding.DecodeString(s)
	if err != nil {
		return nil, a2a.ErrParseError
	}
	at, id, ok := bytes.Cut(doc, []byte("_"))
	updated, err := time.Parse(time.RFC3339Nano, string(at))
	if !ok || err != nil {
		return nil, a2a.ErrParseError
	}
	return &token{[]byte(updated.UTC().Format(instant)), id}, nil
}
