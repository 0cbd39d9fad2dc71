package a2a

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
	"github.com/google/uuid"
	"gorm.io/gorm"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
)

// reader reads the tasks of a user, all from the primary: what is stored in several rows must not
// come from databases of different ages.
type reader struct {
	db     *gorm.DB
	app    string
	tenant uuid.UUID
}

// wants says what of a task to read.
type wants struct {
	history   int // how many messages, the last ones; all if negative
	artifacts bool
}

var whole = wants{history: -1, artifacts: true}

// pointer says where a task is.
type pointer struct {
	conversation uuid.UUID
	version      taskstore.TaskVersion
}

// find returns where a task is or was, and the zero pointer if there never was one. Whether its
// conversation is still there says the document.
func (r reader) find(id a2a.TaskID) (pointer, error) {
	var rows []conversation.UserState
	err := r.db.Where("user_id = ? AND app = ? AND key = ?", r.tenant, r.app, taskPrefix+string(id)).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return pointer{}, err
	}
	at, err := uuid.ParseBytes(rows[0].Value)
	return pointer{at, taskstore.TaskVersion(rows[0].Version)}, err
}

// place is a task in a conversation.
type place struct {
	conversation uuid.UUID
	task         a2a.TaskID
}

// states are the document and the artifacts of a task, as one statement saw them.
type states struct {
	document  *document
	artifacts []byte
}

// states reads the states of tasks. Those that are gone, or whose conversation is deleted, are not
// in the result.
func (r reader) states(at []place, artifacts bool) (map[place]states, error) {
	var conversations []uuid.UUID
	keys, named := []string{}, map[string]a2a.TaskID{}
	for _, p := range at {
		conversations = append(conversations, p.conversation)
		named[documentPrefix+string(p.task)] = p.task
		if artifacts {
			named[artifactsPrefix+string(p.task)] = p.task
		}
	}
	for key := range named {
		keys = append(keys, key)
	}
	live := r.db.Model(&conversation.Conversation{}).Select("id").Where("user_id = ? AND id IN ?", r.tenant, conversations)
	var rows []conversation.State
	if err := r.db.Where("user_id = ? AND conversation_id IN (?) AND key IN ?", r.tenant, live, keys).Find(&rows).Error; err != nil {
		return nil, err
	}
	found := map[place]states{}
	for _, row := range rows {
		p := place{row.ConversationID, named[row.Key]}
		s := found[p]
		if row.Key == documentPrefix+string(p.task) {
			s.document = &document{}
			if err := json.Unmarshal(row.Value, s.document); err != nil {
				return nil, fmt.Errorf("the document of task %q: %w", p.task, err)
			}
		} else {
			s.artifacts = row.Value
		}
		found[p] = s
	}
	return found, nil
}

// get reads one task, or returns a2a.ErrTaskNotFound. A writer who removes messages of it between
// two statements is noticed, and the task is read once more.
func (r reader) get(id a2a.TaskID, w wants) (*document, *a2a.Task, error) {
	at, err := r.find(id)
	for err == nil && at.version > 0 {
		p := place{at.conversation, id}
		s, err := r.states([]place{p}, w.artifacts)
		if err != nil {
			return nil, nil, err
		}
		var task *a2a.Task
		if s[p].document != nil {
			var complete bool
			if task, complete, err = r.task(p.conversation, s[p], w); err != nil || complete {
				return s[p].document, task, err
			}
		}
		again, err := r.find(id)
		switch {
		case err != nil:
			return nil, nil, err
		case again != at:
			at = again
		case task != nil: // somebody deleted messages of the conversation
			return s[p].document, task, nil
		default: // somebody deleted the conversation
			return nil, nil, a2a.ErrTaskNotFound
		}
	}
	if err == nil {
		err = a2a.ErrTaskNotFound
	}
	return nil, nil, err
}

// task puts a task together. It is not complete if messages of it are deleted.
func (r reader) task(at uuid.UUID, s states, w wants) (task *a2a.Task, complete bool, err error) {
	d := s.document
	task, history := d.Task, d.History
	if w.history >= 0 && len(history) > w.history {
		history = history[len(history)-w.history:]
	}
	refs := (&document{History: history, Status: d.Status}).refs()
	rows, err := r.messages(at, refs)
	if err != nil {
		return nil, false, err
	}
	complete = true
	for _, ref := range history {
		m := rows[ref.Seq]
		if m == nil {
			complete = false
			continue
		}
		said, err := fromMessage(m)
		if err != nil {
			return nil, false, err
		}
		task.History = append(task.History, said)
	}
	if d.Status != nil {
		if m := rows[d.Status.Seq]; m == nil {
			complete = false
		} else if task.Status.Message, err = fromMessage(m); err != nil {
			return nil, false, err
		}
	}
	if w.artifacts && d.Artifacts != "" {
		if err := json.Unmarshal(s.artifacts, &task.Artifacts); err != nil {
			return nil, false, fmt.Errorf("the artifacts of task %q: %w", task.ID, err)
		}
	}
	if w.history == 0 {
		task.History = []*a2a.Message{}
	}
	return task, complete, nil
}

// messages reads live rows of a conversation by their seqs, wherever its head is.
func (r reader) messages(at uuid.UUID, refs []ref) (map[int64]*message.Message, error) {
	const atOnce = 1000
	found := map[int64]*message.Message{}
	for some := range slices.Chunk(refs, atOnce) {
		seqs := make([]int64, len(some))
		for i, ref := range some {
			seqs[i] = ref.Seq
		}
		var rows []*message.Message
		err := r.db.Select("id", "seq", "payload", "content").
			Where("user_id = ? AND conversation_id = ? AND seq IN ?", r.tenant, at, seqs).Find(&rows).Error
		if err != nil {
			return nil, err
		}
		for _, m := range rows {
			found[m.Seq] = m
		}
	}
	return found, nil
}
