// Package openai embeds texts with a service that speaks OpenAI's wire format: OpenAI
// itself, and most servers of models on one's own machines. It needs nothing but the
// standard library; copy it into a service.
package openai

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// maxInputs is the most texts that a request may have.
	maxInputs = 2048
	// maxWait bounds the waiting that a server asks for before the next try. A server
	// that wants more gets its answer from whoever called.
	maxWait = 20 * time.Second
	// maxWaits is how often a request is tried again because the server said when.
	maxWaits = 3
)

// Config says which service and which of its models.
type Config struct {
	// BaseURL is what stands before "/embeddings", such as https://api.openai.com/v1.
	BaseURL string
	// Key is sent as a bearer token; empty sends none.
	Key string
	// Model is the service's name for it.
	Model string
	// Dimensions asks for vectors of that length, which not every model can; 0 leaves it
	// to the model.
	Dimensions int
	// Client sends the requests; nil is one that follows no redirects. Calls end with
	// their context, so it needs no timeout.
	Client *http.Client
}

// Embedder is a store.Embedder. It is safe for concurrent use.
type Embedder struct {
	Config
	endpoint string
}

// New checks the configuration; it sends nothing.
func New(c Config) (*Embedder, error) {
	base, err := url.Parse(c.BaseURL)
	switch {
	// What is wrong with the URL stays unsaid: it may have a password in it.
	case err != nil || base.Host == "" || (base.Scheme != "http" && base.Scheme != "https"):
		return nil, errors.New("openai: the base URL is not http://… or https://…")
	case base.User != nil:
		return nil, errors.New("openai: the base URL has a user in it")
	case c.Model == "":
		return nil, errors.New("openai: no model")
	case c.Dimensions < 0:
		return nil, errors.New("openai: the number of dimensions is below 0")
	}
	// Keys are kept in files, which end with a line break.
	c.Key = strings.TrimSpace(c.Key)
	if c.Client == nil {
		c.Client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &Embedder{Config: c, endpoint: base.JoinPath("embeddings").String()}, nil
}

// Model names the model, and the length where it is not the model's own: the shortened
// vectors of a model are not comparable with the others.
func (e *Embedder) Model() string {
	if e.Dimensions == 0 {
		return e.Config.Model
	}
	return fmt.Sprintf("%s/%d", e.Config.Model, e.Dimensions)
}

// Embed returns a vector for each text, in their order, with a request for each 2,048.
// Where the server says when to try again it waits, if that is soon and before ctx ends,
// a few times. No error of it has a text or the key in it.
func (e *Embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, 0, len(texts))
	for len(texts) > 0 {
		n := min(len(texts), maxInputs)
		part, err := e.patiently(ctx, texts[:n])
		if err != nil {
			return nil, err
		}
		vectors, texts = append(vectors, part...), texts[n:]
	}
	return vectors, nil
}

func (e *Embedder) patiently(ctx context.Context, texts []string) ([][]float32, error) {
	for waits := 0; ; waits++ {
		vectors, err := e.send(ctx, texts)
		var refused *Error
		if !errors.As(err, &refused) || !Retryable(err) || !refused.said || waits == maxWaits || !soon(ctx, refused.RetryAfter) {
			return vectors, err
		}
		if err := wait(ctx, refused.RetryAfter); err != nil {
			return nil, err
		}
	}
}

// soon tells whether a wait leads to another try.
func soon(ctx context.Context, d time.Duration) bool {
	end, ok := ctx.Deadline()
	return d <= maxWait && (!ok || time.Until(end) > d)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("openai: %w", ctx.Err())
	case <-timer.C:
		return nil
	}
}
