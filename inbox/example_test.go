package inbox_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/inbox"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A host mounts the inbox behind its own login, which knows who makes a request.
func ExampleNew() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	workspace := store.TenantID("acme")
	h, err := inbox.New(st, inbox.Options{
		Operator: func(r *http.Request) (inbox.Operator, error) {
			name, _, ok := r.BasicAuth() // the host's middleware has checked the password
			if !ok {
				return inbox.Operator{}, inbox.ErrUnauthenticated
			}
			return inbox.Operator{ID: name, UserID: workspace, May: inbox.MayAll}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/inbox/", http.StripPrefix("/inbox", h))

	err = st.ForUser(workspace).Conversations().Create(ctx, &conversation.Conversation{
		Subject: "An offer", Messages: []*message.Message{{Direction: message.DirectionInbound, Content: "How much are ten?"}},
	})
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodGet, "http://localhost/inbox/", nil)
	r.SetBasicAuth("ann", "secret")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	fmt.Println(w.Code, strings.Contains(w.Body.String(), "How much are ten?"))
	// Output: 200 true
}
