// Package payload reads and writes the messages of language models' SDKs: OpenAI Chat
// Completions and Responses, Anthropic Messages, Gemini and the AI SDK's UIMessage.
//
// A message.Message keeps such a message to the byte in Payload. Read makes one of what an SDK
// marshals, with the role, the text that people read and search, the calls of tools and their
// results beside it. Write goes the other way, into any of the formats, and NewPrompt writes a
// whole conversation as a provider accepts it. Calls and Results say what a message calls and
// answers in whichever format it is kept.
//
// The package is pure: it opens no database and knows no SDK.
package payload

import (
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
)

// Format is the name of a format, as PayloadFormat of a message has it.
type Format string

// The formats. A payload is one message of its format, or a JSON list of several that make one
// turn, such as the items of a Responses output.
const (
	// ChatCompletions is a message of OpenAI's Chat Completions, in a request or in a choice.
	ChatCompletions Format = "openai.chat"
	// Responses is an item of OpenAI's Responses, in the input or in the output.
	Responses Format = "openai.responses"
	// Anthropic is a message of Anthropic's Messages, in a request or as a response.
	Anthropic Format = "anthropic.messages"
	// Gemini is a Content of Google's genai.
	Gemini Format = "gemini.content"
	// UIMessage is a message of the AI SDK (ai-sdk.dev) as its user interfaces keep it.
	UIMessage Format = "aisdk.uimessage"
)

// Formats returns every format, in the order of the constants.
func Formats() []Format {
	return []Format{ChatCompletions, Responses, Anthropic, Gemini, UIMessage}
}

func (f Format) String() string { return string(f) }

// Valid reports whether f is one of the constants.
func (f Format) Valid() bool { return f.validate() == nil }

func (f Format) validate() error {
	switch f {
	case ChatCompletions, Responses, Anthropic, Gemini, UIMessage:
		return nil
	}
	return rule.Invalid("payload_format", "is not one of the formats of package payload")
}

// MaxBytes is the largest payload that is read: 64 MiB. A store takes less unless it was opened
// with another bound, see message.MaxBytes.
const MaxBytes = 4 * message.MaxBytes
