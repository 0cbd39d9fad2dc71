package transfer

import (
	"encoding/json"

	"github.com/convostore/convostore/rule"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	// ChatGPT is the conversations.json of an export of ChatGPT, or one of its parts,
	// conversations-000.json and so on.
	ChatGPT Format = "chatgpt"
	// Claude is the conversations.json of an export of Claude.
	Claude Format = "claude"
	// OpenWebUI is the export of chats of Open WebUI.
	OpenWebUI Format = "open-webui"
	// JSONL is the library's own: a line for each conversation, with everything that is live in it.
	JSONL Format = "convostore"
)

// Formats returns every format, in the order of the constants.
func Formats() []Format { return []Format{ChatGPT, Claude, OpenWebUI, JSONL} }

func (f Format) String() string { return string(f) }

// Valid reports whether f is one of the constants.
func (f Format) Valid() bool { return codecs[f] != nil }

// Detect says which format an element of a file has, "" if none of them: an element of the
// array that a file consists of, or a line of JSONL.
func Detect(element []byte) Format {
	var keys map[string]json.RawMessage
	if json.Unmarshal(element, &keys) != nil {
		return ""
	}
	for _, f := range Formats() {
		for _, k := range codecs[f].marks() {
			if _, ok := keys[k]; ok {
				return f
			}
		}
	}
	return ""
}

// codec reads and writes the conversations of one format.
type codec interface {
	// marks are keys of which every conversation has one and no conversation of another format.
	marks() []string
	// read takes an element apart.
	read(element []byte) (*thread, error)
	// write makes an element of a stored conversation.
	write(s *stored) ([]byte, error)
}

var codecs = map[Format]codec{ChatGPT: chatgpt{}, Claude: claude{}, OpenWebUI: openWebUI{}, JSONL: lines{}}

func (f Format) check() error {
	if f.Valid() {
		return nil
	}
	return rule.Invalid("format", "%q is none of %v", string(f), Formats())
}
