package openai_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/convostore/convostore/examples/search/openai"
)

func ExampleEmbedder() {
	// In the place of https://api.openai.com/v1.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data": [{"index": 1, "embedding": [0, 1]}, {"index": 0, "embedding": [1, 0]}]}`)
	}))
	defer server.Close()

	e, err := openai.New(openai.Config{BaseURL: server.URL, Key: "sk-…", Model: "text-embedding-3-small"})
	if err != nil {
		panic(err)
	}
	vectors, err := e.Embed(context.Background(), []string{"Where is my invoice?", "See you on Tuesday."})
	fmt.Println(e.Model(), vectors, err)
	// Output: text-embedding-3-small [[1 0] [0 1]] <nil>
}
