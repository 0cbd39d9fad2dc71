package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/convostore/convostore/payload"
	"github.com/convostore/convostore/store"
)

// openAI is a model of a service with OpenAI's Chat Completions, as many others have it too.
type openAI struct {
	url, model, key string
}

func (o *openAI) name() string { return o.model }

func (o *openAI) answer(ctx context.Context, t turn, write func(string) error) (store.Usage, error) {
	response, err := o.ask(ctx, t)
	if err != nil {
		return store.Usage{}, err
	}
	defer response.Body.Close() //nolint:errcheck // it was read as far as it goes
	return readChunks(response.Body, write)
}

// ask sends the messages as package payload writes them for the provider.
func (o *openAI) ask(ctx context.Context, t turn) (*http.Response, error) {
	p, err := payload.NewPrompt(payload.ChatCompletions, t.prompt())
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(map[string]any{
		"model": o.model, "messages": p.Messages, "stream": true,
		"stream_options": map[string]bool{"include_usage": true},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(o.url, "/")+"/chat/completions", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if o.key != "" {
		request.Header.Set("Authorization", "Bearer "+o.key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		// What the service says beside it may quote the key or the texts.
		return nil, fmt.Errorf("the model's service answered %s", response.Status)
	}
	return response, nil
}

// chunk is one event of the answer.
type chunk struct {
	Model   string
	Choices []struct {
		Delta        struct{ Content string }
		FinishReason string `json:"finish_reason"`
	}
	Usage *struct {
		PromptTokens     int64 `json:"prompt_tokens"`
		CompletionTokens int64 `json:"completion_tokens"`
	}
	Error json.RawMessage
}

var (
	errBroken = errors.New("the model's answer broke off")
	errInside = errors.New("the model's service reported an error in the middle of the answer")
	errEvent  = errors.New("the model's service sent what is no event of an answer")
)

// maxEvent is the longest line of an answer that is read.
const maxEvent = 256 << 10

// readChunks reads server-sent events until [DONE]. An answer that has its finish reason is whole,
// also without.
func readChunks(body io.Reader, write func(string) error) (usage store.Usage, err error) {
	lines := bufio.NewReaderSize(body, maxEvent)
	for {
		line, end := lines.ReadSlice('\n')
		data, is := bytes.CutPrefix(line, []byte("data:"))
		data = bytes.TrimSpace(data)
		switch {
		case string(data) == "[DONE]":
			return usage, nil
		case errors.Is(end, io.EOF) && len(data) == 0 && usage.FinishReason != "":
			return usage, nil
		case end != nil:
			return usage, fmt.Errorf("%w: %w", errBroken, end)
		case !is || len(data) == 0:
			continue
		}
		var c chunk
		if json.Unmarshal(data, &c) != nil {
			return usage, errEvent
		}
		if err := c.take(&usage, write); err != nil {
			return usage, err
		}
	}
}

func (c *chunk) take(usage *store.Usage, write func(string) error) error {
	if len(c.Error) > 0 && string(c.Error) != "null" {
		return errInside
	}
	if c.Model != "" {
		usage.Model = c.Model
	}
	if c.Usage != nil {
		usage.TokensIn, usage.TokensOut = c.Usage.PromptTokens, c.Usage.CompletionTokens
	}
	for _, choice := range c.Choices {
		if choice.FinishReason != "" {
			usage.FinishReason = choice.FinishReason
		}
		if choice.Delta.Content == "" {
			continue
		}
		if err := write(choice.Delta.Content); err != nil {
			return err
		}
	}
	return nil
}
