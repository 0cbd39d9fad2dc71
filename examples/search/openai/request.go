package openai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

type request struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	Dimensions     int      `json:"dimensions,omitempty"`
	EncodingFormat string   `json:"encoding_format"`
}

type response struct {
	Data []struct {
		Index     *int      `json:"index"`
		Embedding []float32 `json:"embedding"`
	} `json:"data"`
}

// maxVector is more bytes than a vector takes as JSON: 4,000 numbers of 24 characters.
const maxVector = 4000 * 24

func (e *Embedder) send(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	body, err := json.Marshal(request{e.Config.Model, texts, e.Dimensions, "float"})
	if err != nil {
		return nil, errors.New("openai: the request cannot be written as JSON")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("openai: the base URL is of no use")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if e.Key != "" {
		req.Header.Set("Authorization", "Bearer "+e.Key)
	}
	res, err := e.Client.Do(req)
	if err != nil {
		return nil, &transportError{withoutURL(err)}
	}
	defer func() { _ = res.Body.Close() }() // it was read, or an error says why not
	if res.StatusCode != http.StatusOK {
		return nil, refusal(res)
	}
	most := int64(len(texts)*maxVector + 1<<20)
	text, err := io.ReadAll(io.LimitReader(res.Body, most))
	if err != nil {
		return nil, &transportError{err}
	}
	return inOrder(text, len(texts))
}

// withoutURL leaves out where the request went: a query may have a key in it.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// inOrder puts the vectors of a response into the order of the texts. It believes
// nothing: a vector on the wrong message would never be noticed.
func inOrder(text []byte, n int) ([][]float32, error) {
	var r response
	if err := json.Unmarshal(text, &r); err != nil {
		// The error of the parser may quote what it read.
		return nil, fmt.Errorf("openai: %d bytes of response are not the JSON of embeddings", len(text))
	}
	if len(r.Data) != n {
		return nil, fmt.Errorf("openai: %d vectors for %d texts", len(r.Data), n)
	}
	vectors := make([][]float32, n)
	for _, d := range r.Data {
		switch {
		case d.Index == nil || *d.Index < 0 || *d.Index >= n:
			return nil, errors.New("openai: a vector without an index, or with one that no text has")
		case vectors[*d.Index] != nil:
			return nil, fmt.Errorf("openai: two vectors for text %d", *d.Index)
		case len(d.Embedding) == 0:
			return nil, fmt.Errorf("openai: an empty vector for text %d", *d.Index)
		}
		vectors[*d.Index] = d.Embedding
	}
	return vectors, nil
}
