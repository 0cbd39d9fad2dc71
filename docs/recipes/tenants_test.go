package recipes

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/store"
)

type tenantKey struct{}

// withTenant is the one place where a tenant is chosen. Whom the session belongs to is the host's
// to find out; here a header stands for it.
func withTenant(st store.Store, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		workspace := r.Header.Get("X-Workspace") // from your session, never from the client
		if workspace == "" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		mine := st.ForUser(store.TenantID("workspace:" + workspace)) // or the UUID that you have
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), tenantKey{}, mine)))
	})
}

// tenant is all that handlers get: a scope, and no store. Without one they panic, and show nothing.
func tenant(ctx context.Context) store.Scope { return ctx.Value(tenantKey{}).(store.Scope) }

// show is a handler. A conversation of another tenant is a conversation that there is not.
func show(w http.ResponseWriter, r *http.Request) {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	c, err := tenant(r.Context()).Conversations().Get(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		http.NotFound(w, r)
	case err != nil:
		http.Error(w, "try again", http.StatusInternalServerError)
	default:
		fmt.Fprint(w, c.Title)
	}
}

// leave removes a tenant: every row of every table, counted.
func leave(ctx context.Context, st store.Store, workspace string) (store.Counts, error) {
	return st.ForUser(store.TenantID("workspace:" + workspace)).Maintenance().EraseUser(ctx)
}

func Example_tenants() {
	ctx := context.Background()
	st, _ := memory(ctx)
	c := &conversation.Conversation{Title: "Holiday"}
	must(st.ForUser(store.TenantID("workspace:7")).Conversations().Create(ctx, c))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /chats/{id}", show)
	server := withTenant(st, mux)
	for _, workspace := range []string{"7", "8", ""} {
		r := httptest.NewRequest(http.MethodGet, "/chats/"+c.ID.String(), http.NoBody)
		r.Header.Set("X-Workspace", workspace)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		fmt.Println("workspace", workspace, "gets", w.Code)
	}
	_, err := st.ForUser(uuid.Nil).Conversations().Get(ctx, c.ID)
	fmt.Println("a tenant whose id got lost:", err)
	gone, err := leave(ctx, st, "7")
	must(err)
	fmt.Println("erased rows:", gone.Total())
	// Output:
	// workspace 7 gets 200
	// workspace 8 gets 404
	// workspace  gets 401
	// a tenant whose id got lost: convostore: invalid user_id: is the nil UUID
	// erased rows: 1
}
