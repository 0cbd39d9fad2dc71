package a2a

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/a2aproject/a2a-go/v2/a2a"
	"github.com/a2aproject/a2a-go/v2/a2asrv/taskstore"
)

// A task has three states in its conversation, which are written together: what a list looks at,
// its document, and its artifacts. A state of the user with the app says which conversation that
// is; its version is the version of the task, and it is what updates of a task wait for.
const (
	taskPrefix      = "a2a.task/"
	documentPrefix  = "a2a.document/"
	artifactsPrefix = "a2a.artifacts/"
)

// document is a task without what is kept elsewhere.
type document struct {
	Version taskstore.TaskVersion `json:"version"`
	// Task has no history, no artifacts and no message in its status.
	Task *a2a.Task `json:"task"`
	// History and Status are the messages, in the order of the history.
	History []ref `json:"history,omitempty"`
	Status  *ref  `json:"status,omitempty"`
	// Artifacts is the digest of the artifacts, "" if there are none.
	Artifacts string `json:"artifacts,omitempty"`
}

// ref is a message of a task: the row, and the digest of the message that was put there.
type ref struct {
	Seq    int64  `json:"seq"`
	Digest string `json:"digest"`
}

// refs returns all messages of a task.
func (d *document) refs() []ref {
	if d.Status == nil {
		return d.History
	}
	return append(d.History[:len(d.History):len(d.History)], *d.Status)
}

// encoded is a task as it is kept.
type encoded struct {
	task      *a2a.Task // without what is in the other fields
	messages  []*entry  // the history, then the message of the status if there is one
	status    bool
	artifacts []byte // nil without artifacts
}

// entry is a message of a task, with the row that holds it once that is known.
type entry struct {
	message *a2a.Message
	payload []byte
	ref     ref
}

// encode validates a task and takes it apart.
func encode(task *a2a.Task) (encoded, error) {
	if err := validate(task); err != nil {
		return encoded{}, err
	}
	rest := *task
	rest.History, rest.Artifacts, rest.Status.Message = nil, nil, nil
	e := encoded{task: &rest, status: task.Status.Message != nil}
	if _, err := marshal("task", &rest); err != nil {
		return encoded{}, err
	}
	messages := task.History
	if e.status {
		messages = append(messages[:len(messages):len(messages)], task.Status.Message)
	}
	for _, m := range messages {
		payload, err := marshal("message", m)
		if err != nil {
			return encoded{}, err
		}
		e.messages = append(e.messages, &entry{message: m, payload: payload, ref: ref{Digest: digest(payload)}})
	}
	if len(task.Artifacts) > 0 {
		var err error
		if e.artifacts, err = marshal("artifacts", task.Artifacts); err != nil {
			return encoded{}, err
		}
	}
	return e, nil
}

// document returns the document of a version. The rows of all messages are known.
func (e encoded) document(version taskstore.TaskVersion) *document {
	d := &document{Version: version, Task: e.task}
	history := e.messages
	if e.status {
		d.Status = &history[len(history)-1].ref
		history = history[:len(history)-1]
	}
	for _, m := range history {
		d.History = append(d.History, m.ref)
	}
	if e.artifacts != nil {
		d.Artifacts = digest(e.artifacts)
	}
	return d
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// match gives messages the rows that hold them already, and returns the rows that hold none any
// more. Of two equal messages each has its own row.
func match(rows []ref, messages []*entry) (left []ref) {
	byDigest := map[string][]*entry{}
	for _, m := range messages {
		if m.ref.Seq == 0 {
			byDigest[m.ref.Digest] = append(byDigest[m.ref.Digest], m)
		}
	}
	for _, r := range rows {
		if same := byDigest[r.Digest]; len(same) > 0 {
			same[0].ref, byDigest[r.Digest] = r, same[1:]
		} else {
			left = append(left, r)
		}
	}
	return left
}

// unmatched returns the messages without a row.
func unmatched(messages []*entry) (left []*entry) {
	for _, m := range messages {
		if m.ref.Seq == 0 {
			left = append(left, m)
		}
	}
	return left
}

// marshal encodes a part of a task, as a2a-go sends it.
func marshal(field string, v any) ([]byte, error) {
	doc, err := json.Marshal(v)
	if err != nil {
		return nil, invalid(field, "cannot be JSON: %v", err)
	}
	return doc, nil
}
