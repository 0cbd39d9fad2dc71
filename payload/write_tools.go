package payload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"regexp"
)

var portable = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,40}$`)

// portableID returns an id that every provider takes: letters, digits, _ and -, and 40 of them
// at most. The same id always gives the same.
func portableID(id string) string {
	if portable.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:12])
}

// inputObject returns arguments as an object, which every provider but OpenAI asks for. What is
// none stands under the key input.
func inputObject(args json.RawMessage) json.RawMessage {
	if len(args) == 0 {
		return json.RawMessage("{}")
	}
	if _, ok := decodeObject(args); ok {
		return args
	}
	return encode(map[string]json.RawMessage{"input": args})
}

// inputText returns arguments as OpenAI has them.
func inputText(args json.RawMessage) string {
	if len(args) == 0 {
		return "{}"
	}
	if text, ok := decodeText(args); ok {
		return text
	}
	return string(args)
}

// orTool is the name of a result whose call is unknown.
func orTool(name string) string {
	if name == "" {
		return "tool"
	}
	return name
}
