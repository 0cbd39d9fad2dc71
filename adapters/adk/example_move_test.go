package adk_test

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"google.golang.org/adk/v2/model"
	"google.golang.org/adk/v2/session"
	"google.golang.org/genai"

	"github.com/convostore/convostore/adapters/adk"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// move copies the sessions of a user from one service to another, such as from session/database. A
// second run adds what is new: an event whose id is there changes nothing.
func move(ctx context.Context, from, to session.Service, app, user string) error {
	list, err := from.List(ctx, &session.ListRequest{AppName: app, UserID: user})
	if err != nil {
		return err
	}
	for _, s := range list.Sessions {
		if err := moveSession(ctx, from, to, app, user, s.ID()); err != nil {
			return fmt.Errorf("session %s: %w", s.ID(), err)
		}
	}
	return nil
}

func moveSession(ctx context.Context, from, to session.Service, app, user, id string) error {
	whole, err := from.Get(ctx, &session.GetRequest{AppName: app, UserID: user, SessionID: id})
	if err != nil {
		return err
	}
	var target session.Session
	there, err := to.Get(ctx, &session.GetRequest{AppName: app, UserID: user, SessionID: id})
	switch {
	case err == nil:
		target = there.Session
	case errors.Is(err, store.ErrNotFound):
		// States that no event has set come with the creation, those of the user and the app too.
		made, err := to.Create(ctx, &session.CreateRequest{
			AppName: app, UserID: user, SessionID: id, State: maps.Collect(whole.Session.State().All()),
		})
		if err != nil {
			return err
		}
		target = made.Session
	default:
		return err
	}
	for e := range whole.Session.Events().All() {
		if err := to.AppendEvent(ctx, target, e); err != nil {
			return fmt.Errorf("event %s: %w", e.ID, err)
		}
	}
	return nil
}

func Example_move() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx)
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	from, to := session.InMemoryService(), adk.New(st, adk.Options{})
	made, err := from.Create(ctx, &session.CreateRequest{AppName: "travel", UserID: "ann", SessionID: "s1", State: map[string]any{"city": "Porto"}})
	if err != nil {
		panic(err)
	}
	e := &session.Event{ID: "e1", Author: "user", LLMResponse: model.LLMResponse{Content: genai.NewContentFromText("hello", genai.RoleUser)}}
	if err := from.AppendEvent(ctx, made.Session, e); err != nil {
		panic(err)
	}
	for range 2 {
		if err := move(ctx, from, to, "travel", "ann"); err != nil {
			panic(err)
		}
	}
	got, err := to.Get(ctx, &session.GetRequest{AppName: "travel", UserID: "ann", SessionID: "s1"})
	if err != nil {
		panic(err)
	}
	city, err := got.Session.State().Get("city")
	fmt.Println(got.Session.Events().Len(), "event in", city, err)
	// Output:
	// 1 event in Porto <nil>
}
