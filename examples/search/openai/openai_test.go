package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/examples/search/openai"
	"github.com/convostore/convostore/internal/embedtest"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

const (
	key    = "sk-test-0123456789"
	secret = "the merger is on Tuesday"
)

// sent is a request as a server sees it.
type sent struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	Dimensions     *int     `json:"dimensions"`
	EncodingFormat string   `json:"encoding_format"`
}

// serve answers with what the functions write, one for each request, the last one for
// all that follow.
func serve(t *testing.T, answers ...func(http.ResponseWriter, sent)) (openai.Config, *atomic.Int64) {
	t.Helper()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(requests.Add(1))
		var s sent
		if !assert.NoError(t, json.NewDecoder(r.Body).Decode(&s)) {
			return
		}
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "/v1/embeddings", r.URL.Path)
		assert.Equal(t, "application/json", r.Header.Get("Content-Type"))
		assert.Equal(t, "Bearer "+key, r.Header.Get("Authorization"))
		assert.Equal(t, "float", s.EncodingFormat)
		answers[min(n, len(answers))-1](w, s)
	}))
	t.Cleanup(server.Close)
	return openai.Config{BaseURL: server.URL + "/v1", Key: key, Model: "text-embedding-3-small"}, &requests
}

func open(t *testing.T, c openai.Config) *openai.Embedder {
	t.Helper()
	e, err := openai.New(c)
	require.NoError(t, err)
	return e
}

// embed answers with the vectors of a hash, the last one first.
func embed(w http.ResponseWriter, s sent) {
	type item struct {
		Object    string    `json:"object"`
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	dimensions := 8
	if s.Dimensions != nil {
		dimensions = *s.Dimensions
	}
	var data []item
	for i := len(s.Input) - 1; i >= 0; i-- {
		data = append(data, item{"embedding", i, embedtest.New(dimensions).Vector(s.Input[i])})
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"object": "list", "data": data, "model": s.Model,
		"usage": map[string]int{"prompt_tokens": 9, "total_tokens": 9},
	})
}

func answer(status int, body string, header ...string) func(http.ResponseWriter, sent) {
	return func(w http.ResponseWriter, _ sent) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func refuse(status int, kind, code string, header ...string) func(http.ResponseWriter, sent) {
	return answer(status, fmt.Sprintf(`{"error": {"message": "You sent %s with %s.", "type": %q, "param": null, "code": %s}}`, secret, key, kind, code), header...)
}

func TestVectorsComeInTheOrderOfTheTexts(t *testing.T) {
	t.Parallel()
	c, requests := serve(t, embed)
	texts := make([]string, 2050)
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i)
	}
	vectors, err := open(t, c).Embed(t.Context(), texts)
	require.NoError(t, err)
	require.Len(t, vectors, len(texts))
	for i, v := range vectors {
		require.Equal(t, embedtest.New(8).Vector(texts[i]), v)
	}
	assert.Equal(t, int64(2), requests.Load(), "2,048 texts a request")
	vectors, err = open(t, c).Embed(t.Context(), nil)
	require.NoError(t, err)
	assert.Empty(t, vectors)
	assert.Equal(t, int64(2), requests.Load())
}

func TestDimensions(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, embed)
	assert.Equal(t, "text-embedding-3-small", open(t, c).Model())
	c.Dimensions = 4
	c.Key = key + "\n"
	e := open(t, c)
	assert.Equal(t, "text-embedding-3-small/4", e.Model())
	vectors, err := e.Embed(t.Context(), []string{"a"})
	require.NoError(t, err)
	assert.Len(t, vectors[0], 4)
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer func(http.ResponseWriter, sent)
		text   string
		retry  bool
	}{
		"key":     {refuse(401, "invalid_request_error", `"invalid_api_key"`), "openai: status 401 Unauthorized (invalid_request_error, invalid_api_key)", false},
		"model":   {refuse(404, "invalid_request_error", `"model_not_found"`), "openai: status 404 Not Found (invalid_request_error, model_not_found)", false},
		"long":    {refuse(400, "invalid_request_error", "null"), "openai: status 400 Bad Request (invalid_request_error)", false},
		"limit":   {refuse(429, "requests", `"rate_limit_exceeded"`), "openai: status 429 Too Many Requests (requests, rate_limit_exceeded)", true},
		"quota":   {refuse(429, "insufficient_quota", `"insufficient_quota"`, "Retry-After", "0"), "openai: status 429 Too Many Requests (insufficient_quota)", false},
		"later":   {refuse(429, "tokens", "null", "Retry-After", "3600"), "openai: status 429 Too Many Requests (tokens)", true},
		"busy":    {answer(503, "<html>"+secret+"</html>"), "openai: status 503 Service Unavailable", true},
		"proxy":   {answer(529, ""), "openai: status 529", true},
		"number":  {refuse(400, "BadRequestError", "400"), "openai: status 400 Bad Request (BadRequestError, 400)", false},
		"prose":   {refuse(400, secret, `{"a": 1}`), "openai: status 400 Bad Request", false},
		"string":  {answer(400, `{"error": "`+secret+`"}`), "openai: status 400 Bad Request", false},
		"moved":   {answer(307, "", "Location", "http://127.0.0.1:1/"), "openai: status 307 Temporary Redirect", false},
		"broken":  {answer(200, `{"data": [{"index": 0, "embedding": ["`+secret+`"]}]}`), "openai: 67 bytes of response are not the JSON of embeddings", false},
		"no JSON": {answer(200, secret), "openai: 24 bytes of response are not the JSON of embeddings", false},
		"cut":     {answer(200, `{"data": [{"ind`, "Content-Length", "5000"), "openai: unexpected EOF", true},
		"few":     {answer(200, `{"data": []}`), "openai: 0 vectors for 1 texts", false},
		"many":    {answer(200, `{"data": [{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1]}]}`), "openai: 2 vectors for 1 texts", false},
		"index":   {answer(200, `{"data": [{"index": 1, "embedding": [1]}]}`), "openai: a vector without an index, or with one that no text has", false},
		"nowhere": {answer(200, `{"data": [{"embedding": [1]}]}`), "openai: a vector without an index, or with one that no text has", false},
		"empty":   {answer(200, `{"data": [{"index": 0, "embedding": []}]}`), "openai: an empty vector for text 0", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config, requests := serve(t, c.answer)
			vectors, err := open(t, config).Embed(t.Context(), []string{secret})
			require.EqualError(t, err, c.text)
			assert.Nil(t, vectors)
			assert.Equal(t, c.retry, openai.Retryable(err))
			assert.Equal(t, int64(1), requests.Load(), "it waits only if the server says how long")
		})
	}
}

func TestTwoVectorsForOneText(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, answer(200, `{"data": [{"index": 1, "embedding": [1]}, {"index": 1, "embedding": [2]}]}`))
	_, err := open(t, c).Embed(t.Context(), []string{"a", "b"})
	require.EqualError(t, err, "openai: two vectors for text 1")
}

func TestTheServersSentenceIsKeptApart(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, refuse(401, "invalid_request_error", `"invalid_api_key"`))
	_, err := open(t, c).Embed(t.Context(), []string{secret})
	var refused *openai.Error
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Message, secret)
	assert.NotContains(t, fmt.Sprintf("%v %+v", err, err), secret)
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	limit := func(after string) func(http.ResponseWriter, sent) {
		return refuse(429, "requests", `"rate_limit_exceeded"`, "Retry-After", after)
	}
	t.Run("then it works", func(t *testing.T) {
		t.Parallel()
		past := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
		c, requests := serve(t, limit("1"), limit(past), embed)
		begin := time.Now()
		vectors, err := open(t, c).Embed(t.Context(), []string{"a"})
		require.NoError(t, err)
		assert.Len(t, vectors, 1)
		assert.Equal(t, int64(3), requests.Load())
		assert.GreaterOrEqual(t, time.Since(begin), time.Second)
	})
	t.Run("not for ever", func(t *testing.T) {
		t.Parallel()
		c, requests := serve(t, limit("0"))
		_, err := open(t, c).Embed(t.Context(), []string{"a"})
		require.Error(t, err)
		assert.True(t, openai.Retryable(err))
		assert.Equal(t, int64(4), requests.Load())
	})
	t.Run("not beyond the deadline", func(t *testing.T) {
		t.Parallel()
		c, _ := serve(t, limit("10"))
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := open(t, c).Embed(ctx, []string{"a"})
		var refused *openai.Error
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, 10*time.Second, refused.RetryAfter)
		assert.Less(t, time.Since(begin), 4*time.Second)
	})
	t.Run("until it is cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		c, _ := serve(t, func(w http.ResponseWriter, s sent) {
			time.AfterFunc(50*time.Millisecond, cancel)
			limit("10")(w, s)
		})
		_, err := open(t, c).Embed(ctx, []string{"a"})
		require.ErrorIs(t, err, context.Canceled)
		assert.False(t, openai.Retryable(err))
	})
}

func TestALostConnection(t *testing.T) {
	t.Parallel()
	c, _ := serve(t, func(http.ResponseWriter, sent) { panic(http.ErrAbortHandler) })
	_, err := open(t, c).Embed(t.Context(), []string{secret})
	require.Error(t, err)
	assert.True(t, openai.Retryable(err))

	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	e := open(t, openai.Config{BaseURL: server.URL + "?api-key=" + key, Key: key, Model: "m"})
	_, err = e.Embed(t.Context(), []string{secret})
	require.Error(t, err)
	assert.True(t, openai.Retryable(err))
	assert.NotContains(t, err.Error(), key)
	assert.NotContains(t, err.Error(), secret)

	bad := open(t, openai.Config{BaseURL: server.URL, Key: key + "\nX-Evil: " + key, Model: "m"})
	_, err = bad.Embed(t.Context(), []string{secret})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), key)
}

func TestTheContextEndsARequest(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	c, _ := serve(t, func(http.ResponseWriter, sent) { <-done })
	defer close(done)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := open(t, c).Embed(ctx, []string{secret})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.True(t, openai.Retryable(err), "a slow answer may be quicker the next time")
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = open(t, c).Embed(ctx, []string{secret})
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, openai.Retryable(err))
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []openai.Config{
		{},
		{BaseURL: "localhost:11434/v1", Model: "m"},
		{BaseURL: "ftp://localhost", Model: "m"},
		{BaseURL: "https://user:" + key + "@localhost", Model: "m"},
		{BaseURL: "http://[" + key, Model: "m"},
		{BaseURL: "https://localhost"},
		{BaseURL: "https://localhost", Model: "m", Dimensions: -1},
	} {
		_, err := openai.New(c)
		require.Error(t, err, "%+v", c)
		assert.NotContains(t, err.Error(), key)
	}
	assert.False(t, openai.Retryable(nil))
	assert.False(t, openai.Retryable(errors.New("something else")))
}

// TestEmbedMissing has a server that is busy at first, and then embeds all.
func TestEmbedMissing(t *testing.T) {
	t.Parallel()
	c, requests := serve(t, answer(500, `{"error": {"message": "oops", "type": "server_error"}}`), embed)
	e := open(t, c)
	st, err := sqlite.OpenMemory(t.Context(), convostore.WithMigrate(migrate.Options{Dimensions: 8}), convostore.WithEmbedder(e))
	require.NoError(t, err)
	defer func() { require.NoError(t, st.Close()) }()
	mine := st.ForUser(uuid.New())
	chat := &conversation.Conversation{}
	require.NoError(t, mine.Conversations().Create(t.Context(), chat))
	texts := strings.Fields("invoice payment meeting holiday garden")
	for _, text := range texts {
		_, err := mine.Messages().Append(t.Context(), chat.ID, &message.Message{Role: message.RoleUser, Content: text})
		require.NoError(t, err)
	}
	o := store.EmbedOptions{BatchSize: 2, Workers: 1, Backoff: time.Millisecond, Retry: openai.Retryable}
	r, err := mine.Embeddings().EmbedMissing(t.Context(), e, o)
	require.NoError(t, err)
	assert.Equal(t, int64(len(texts)), r.Embedded)
	assert.Equal(t, int64(1+3), requests.Load())
	found, err := mine.Search().SimilarMessages(t.Context(), store.SimilarTo{Text: "garden"}, store.SimilarOptions{Limit: 1})
	require.NoError(t, err)
	require.Len(t, found.Hits, 1)
	assert.Equal(t, "garden", found.Hits[0].Message.Content)
	assert.InDelta(t, 1, found.Hits[0].Similarity, 1e-6)
	assert.Equal(t, "text-embedding-3-small", found.Model)
}
