package a2a

import (
	"fmt"

	"github.com/a2aproject/a2a-go/v2/a2a"

	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/rule"
)

func invalid(field, format string, args ...any) error { return rule.Invalid(field, format, args...) }

// maxState is how many bytes the name of a state of tasks may have.
const maxState = 64

// maxID is how many bytes an id may have, so that the keys with it fit into an index.
const maxID = 1000

// maxDepth is how deep metadata may be. What contains itself is deeper.
const maxDepth = 500

// validate refuses what cannot be kept, or would not come back.
func validate(task *a2a.Task) error {
	switch {
	case task == nil:
		return invalid("task", "is nil")
	case task.ID == "":
		return invalid("task.id", "is empty")
	case !validID(string(task.ID)):
		return invalid("task.id", "has more than %d bytes, U+0000 or invalid UTF-8", maxID)
	case !validID(task.ContextID):
		return invalid("task.contextId", "has more than %d bytes, U+0000 or invalid UTF-8", maxID)
	case len(task.Status.State) > maxState:
		return invalid("task.status.state", "has more than %d bytes", maxState)
	}
	if t := task.Status.Timestamp; t != nil && (t.UTC().Year() < 0 || t.UTC().Year() > 9999) {
		return invalid("task.status.timestamp", "is not in the years 0 to 9999")
	}
	if err := validateMeta("task.metadata", task.Metadata, 0); err != nil {
		return err
	}
	if m := task.Status.Message; m != nil {
		if err := validateMessage("task.status.message", m); err != nil {
			return err
		}
	}
	for i, m := range task.History {
		if err := validateMessage(fmt.Sprintf("task.history[%d]", i), m); err != nil {
			return err
		}
	}
	for i, a := range task.Artifacts {
		field := fmt.Sprintf("task.artifacts[%d]", i)
		if a == nil {
			return invalid(field, "is nil")
		}
		if err := validateParts(field, a.Parts, a.Metadata); err != nil {
			return err
		}
	}
	return nil
}

// validID says whether an id can be part of a key.
func validID(id string) bool { return len(id) <= maxID && clean.String(id) == id }

func validateMessage(field string, m *a2a.Message) error {
	if m == nil {
		return invalid(field, "is nil")
	}
	return validateParts(field, m.Parts, m.Metadata)
}

func validateParts(field string, parts a2a.ContentParts, meta map[string]any) error {
	for i, p := range parts {
		part := fmt.Sprintf("%s.parts[%d]", field, i)
		if !readable(p) {
			return invalid(part, "has nothing that comes back from JSON: text, raw bytes, data or a URL")
		}
		if err := validateMeta(part+".metadata", p.Metadata, 0); err != nil {
			return err
		}
	}
	return validateMeta(field+".metadata", meta, 0)
}

// readable says whether a part can be read again: a2a-go writes null where raw bytes or data are
// nil, and nothing for an empty URL, and refuses to read either.
func readable(p *a2a.Part) bool {
	if p == nil {
		return false
	}
	switch c := p.Content.(type) {
	case a2a.Raw:
		return c != nil
	case a2a.Data:
		return c.Value != nil
	case a2a.URL:
		return c != ""
	}
	return p.Content != nil
}

// validateMeta takes the types that the in-memory store of a2a-go takes.
func validateMeta(field string, value any, depth int) error {
	if depth > maxDepth {
		return invalid(field, "has more than %d levels", maxDepth)
	}
	switch v := value.(type) {
	case nil, bool, int, int8, int16, int32, int64, float32, float64, string:
		return nil
	case []any:
		for _, e := range v {
			if err := validateMeta(field, e, depth+1); err != nil {
				return err
			}
		}
		return nil
	case map[string]any:
		for _, e := range v {
			if err := validateMeta(field, e, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return invalid(field, "has a %T, and may have bool, int, float, string, []any and map[string]any", value)
}
