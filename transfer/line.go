package transfer

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// lineVersion is the version of the library's own format.
const lineVersion = 1

// line is a line of the library's own format: a conversation with all that hangs on it, or a state
// of a user or of an app.
type line struct {
	Version      int                        `json:"convostore"`
	Conversation *conversation.Conversation `json:"conversation,omitempty"`
	// Deliveries are what was or is to be handed to providers, of all messages.
	Deliveries []*message.OutboxEntry  `json:"deliveries,omitempty"`
	UserState  *conversation.UserState `json:"user_state,omitempty"`
	AppState   *conversation.AppState  `json:"app_state,omitempty"`
}

// What is read of a line has its rows one by one, so that one that cannot be read is left out alone.
type (
	rawLine struct {
		Version      int               `json:"convostore"`
		Conversation json.RawMessage   `json:"conversation"`
		Deliveries   []json.RawMessage `json:"deliveries"`
		UserState    json.RawMessage   `json:"user_state"`
		AppState     json.RawMessage   `json:"app_state"`
	}
	rawConversation struct {
		conversation.Conversation
		Messages    []json.RawMessage `json:"messages"`
		Suggestions []json.RawMessage `json:"suggestions"`
		Labels      []json.RawMessage `json:"labels"`
		Reads       []json.RawMessage `json:"reads"`
		States      []json.RawMessage `json:"states"`
		Summaries   []json.RawMessage `json:"summaries"`
	}
	rawMessage struct {
		message.Message
		Embeddings []json.RawMessage `json:"embeddings"`
		Refs       []json.RawMessage `json:"refs"`
		Votes      []json.RawMessage `json:"votes"`
	}
)

// decodeAt decodes a document into dest. Its error is a *rule.InvalidError whose field leads to the
// value that does not fit.
func decodeAt(path string, doc []byte, dest any) error {
	err := json.Unmarshal(doc, dest)
	if err == nil {
		return nil
	}
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && mistyped.Field != "" {
		field := strings.TrimPrefix(strings.TrimPrefix(mistyped.Field, "Conversation."), "Message.") // what is embedded
		return rule.Invalid(path+"."+field, "is a %s", mistyped.Value)
	}
	o, noObject := parseObject(doc)
	for _, m := range o { // which member is it?
		one, _ := encode(object{m})
		if err := json.Unmarshal(one, dest); err != nil {
			return within(path, rule.Invalid(m.key, "%s", ruleOf(err)))
		}
	}
	if noObject != nil {
		err = noObject
	}
	return rule.Invalid(path, "%s", ruleOf(err))
}

// ruleOf is what an error says of a value, without the field.
func ruleOf(err error) string {
	var invalid *rule.InvalidError
	if errors.As(err, &invalid) {
		return invalid.Rule
	}
	return err.Error()
}

// within makes the field of an error one of what is at the path.
func within(path string, err error) error {
	var invalid *rule.InvalidError
	if path == "" || !errors.As(err, &invalid) {
		return err
	}
	return rule.Invalid(path+"."+invalid.Field, "%s", invalid.Rule)
}

// placed is a row of a line with the way to it.
type placed[T any] struct {
	path string
	row  *T
}

// decodeRows decodes those of a list that can be, and notes the others.
func decodeRows[T any](problems *[]Problem, path string, docs []json.RawMessage) (rows []placed[T]) {
	for i, doc := range docs {
		at, row := fmt.Sprintf("%s[%d]", path, i), new(T)
		if string(doc) == "null" {
			*problems = append(*problems, Problem{Err: rule.Invalid(at, "is null")})
			continue
		}
		if err := decodeAt(at, doc, row); err != nil {
			*problems = append(*problems, Problem{Err: err})
			continue
		}
		rows = append(rows, placed[T]{at, row})
	}
	return rows
}
