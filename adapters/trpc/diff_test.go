package trpc_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"
	"trpc.group/trpc-go/trpc-agent-go/session/inmemory"

	"github.com/convostore/convostore/adapters/trpc"
	"github.com/convostore/convostore/internal/bothtest"
	"github.com/convostore/convostore/internal/testrun"
)

// service is what both sides have beyond session.Service.
type service interface {
	session.Service
	session.TrackService
	session.WindowService
	GetTrackEvents(ctx ctx, key session.Key, track session.Track, opts ...session.Option) (*session.TrackEvents, error)
}

// seen is what a caller sees of a session, but for what differs between two services: the times at
// which they did something, and ServiceMeta.
type seen struct {
	Key       session.Key
	State     map[string]string
	Events    []string
	Tracks    map[session.Track][]string
	Summaries map[string]string
}

func see(t *testing.T, s *session.Session) *seen {
	t.Helper()
	if s == nil {
		return nil
	}
	require.False(t, s.CreatedAt.IsZero())
	require.False(t, s.UpdatedAt.IsZero())
	require.Equal(t, session.NewSession(s.AppName, s.UserID, s.ID).Hash, s.Hash)
	got := &seen{session.Key{AppName: s.AppName, UserID: s.UserID, SessionID: s.ID}, seeState(s.State), []string{}, nil, map[string]string{}}
	for _, e := range s.Events {
		got.Events = append(got.Events, encode(t, e))
	}
	for name, events := range s.Tracks {
		if got.Tracks == nil {
			got.Tracks = map[session.Track][]string{}
		}
		got.Tracks[name] = seeTrack(t, events)
	}
	for k, sum := range s.Summaries {
		got.Summaries[k] = encode(t, sum)
	}
	return got
}

// seeState tells nil from empty.
func seeState(s session.StateMap) map[string]string {
	all := map[string]string{}
	for k, v := range s {
		all[k] = fmt.Sprintf("%t %q", v == nil, v)
	}
	return all
}

func seeTrack(t *testing.T, events *session.TrackEvents) []string {
	t.Helper()
	all := []string{string(events.Track)}
	for _, e := range events.Events {
		all = append(all, fmt.Sprintf("%s %s %t %s", e.Track, e.Payload, e.Payload == nil, encode(t, e.Timestamp)))
	}
	return all
}

func encode(t *testing.T, v any) string {
	t.Helper()
	doc, err := json.Marshal(v)
	require.NoError(t, err)
	return string(doc)
}

// pair does the same with both services and wants the same answers.
type pair struct {
	t      *testing.T
	rand   *rand.Rand
	sides  [2]service
	apps   []string
	held   map[session.Key][2]*session.Session
	limit  int                 // of both; below 0 there is none
	stored map[session.Key]int // how many events were
	events int
	failed int
}

var (
	users = []string{"ann", "bob"}
	// The keys of a state, of which some have the prefix of another one.
	stateKeys = []string{"k", "app:k", "user:k", "temp:k", "æ \u2028", "app:user:k"}
	base      = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.FixedZone("", 3600))
)

// TestDifferential has random steps.
func TestDifferential(t *testing.T) {
	t.Parallel()
	seeds, steps := 2, 200
	if testrun.Full() {
		seeds, steps = 6, 300
	}
	bothtest.Run(t, func(t *testing.T, d bothtest.Database) {
		st := open(t, d)
		for seed := range seeds {
			p := &pair{
				t: t, rand: rand.New(rand.NewPCG(uint64(seed), 7)), apps: []string{fmt.Sprint("a", seed), fmt.Sprintf("a%d/b", seed)}, limit: []int{8, -1}[seed%2],
				held: map[session.Key][2]*session.Session{}, stored: map[session.Key]int{},
			}
			p.sides[0] = inmemory.NewSessionService(inmemory.WithSessionEventLimit(p.limit))
			p.sides[1] = trpc.New(st, trpc.Options{EventLimit: p.limit})
			for range steps {
				p.step()
			}
			require.Positive(t, p.failed, "some steps are on sessions that are not there")
			for _, s := range p.sides {
				require.NoError(t, s.Close())
			}
		}
	})
}

func (p *pair) key() session.Key {
	return session.Key{AppName: pick(p, p.apps), UserID: pick(p, users), SessionID: pick(p, []string{"s", "b/s"})}
}

func pick[T any](p *pair, from []T) T { return from[p.rand.IntN(len(from))] }

// both calls f with each side and wants both to fail or neither.
func (p *pair) both(what string, f func(side int, s service) (any, error)) {
	p.t.Helper()
	one, err := f(0, p.sides[0])
	other, err2 := f(1, p.sides[1])
	require.Equal(p.t, err == nil, err2 == nil, "%s: %v / %v", what, err, err2)
	require.Equal(p.t, one, other, what)
	if err != nil {
		p.failed++
	}
}

func (p *pair) step() {
	p.t.Helper()
	key := p.key()
	switch p.rand.IntN(14) {
	case 0:
		p.delete(key)
	case 1, 2:
		p.states(key)
	case 3:
		p.track(key)
	case 4, 5:
		p.get(key)
	case 6:
		p.list(session.UserKey{AppName: key.AppName, UserID: key.UserID})
	case 7:
		p.window(key)
	default:
		p.append(key)
	}
}

// hold creates a session unless it is there, and mostly keeps its handles.
func (p *pair) hold(key session.Key) {
	p.t.Helper()
	var held [2]*session.Session
	if _, ok := p.held[key]; !ok {
		state := p.state(stateKeys)
		p.both("create", func(side int, s service) (got any, err error) {
			held[side], err = s.CreateSession(p.t.Context(), key, state)
			return see(p.t, held[side]), err
		})
		p.held[key] = held
		return
	}
	if p.rand.IntN(4) == 0 {
		p.both("get", func(side int, s service) (got any, err error) {
			held[side], err = s.GetSession(p.t.Context(), key)
			return see(p.t, held[side]), err
		})
		p.held[key] = held
	}
}

func (p *pair) append(key session.Key) {
	p.t.Helper()
	if p.rand.IntN(20) == 0 {
		if _, ok := p.held[key]; !ok { // a session that is not there
			p.both("append", func(_ int, s service) (any, error) {
				return nil, s.AppendEvent(p.t.Context(), session.NewSession(key.AppName, key.UserID, key.SessionID), p.event())
			})
			return
		}
	}
	p.hold(key)
	held := p.held[key]
	e := p.event()
	if e.Response != nil && !e.IsPartial && e.IsValidContent() {
		p.stored[key]++
	}
	p.both("append", func(side int, s service) (any, error) {
		sess := held[side]
		if p.events%5 == 0 { // a handle of the host's own
			sess = session.NewSession(key.AppName, key.UserID, key.SessionID)
		}
		var opts []session.Option
		if p.events%3 == 0 {
			opts = append(opts, session.WithEventNum(3))
		}
		own := *e
		err := s.AppendEvent(p.t.Context(), sess, &own, opts...)
		return see(p.t, sess), err
	})
}

func (p *pair) delete(key session.Key) {
	p.t.Helper()
	p.both("delete", func(_ int, s service) (any, error) { return nil, s.DeleteSession(p.t.Context(), key) })
	delete(p.held, key)
	delete(p.stored, key)
}

func (p *pair) options() (opts []session.Option) {
	if p.rand.IntN(2) == 0 {
		opts = append(opts, session.WithEventNum(p.rand.IntN(16)-1))
	}
	if p.rand.IntN(4) == 0 {
		opts = append(opts, session.WithEventTime(p.time()))
	}
	return opts
}

func (p *pair) get(key session.Key) {
	p.t.Helper()
	opts := p.options()
	p.both("get", func(_ int, s service) (any, error) {
		got, err := s.GetSession(p.t.Context(), key, opts...)
		return see(p.t, got), err
	})
	p.both("get track", func(_ int, s service) (any, error) {
		got, err := s.GetTrackEvents(p.t.Context(), key, "agui", opts...)
		return seeTrack(p.t, got), err
	})
}

func (p *pair) list(key session.UserKey) {
	p.t.Helper()
	opts := p.options()
	if p.rand.IntN(2) == 0 {
		opts = append(opts, session.WithListSessionOnlyMeta())
	}
	if p.rand.IntN(2) == 0 {
		opts = append(opts, session.WithListSessionPage(p.rand.IntN(4)-1, p.rand.IntN(4)))
	}
	p.both("list", func(_ int, s service) (any, error) {
		got, err := s.ListSessions(p.t.Context(), key, opts...)
		all := make([]*seen, len(got))
		for i := range got {
			all[i] = see(p.t, got[i])
		}
		return all, err
	})
}

func (p *pair) window(key session.Key) {
	p.t.Helper()
	req := session.EventWindowRequest{Key: key, AnchorEventID: fmt.Sprintf(" e%d", p.rand.IntN(p.events+1)), Before: p.rand.IntN(5) - 1, After: p.rand.IntN(4)}
	if held, ok := p.held[key]; ok {
		if es := held[0].GetEvents(); len(es) > 0 {
			req.AnchorEventID = pick(p, es).ID
		}
	}
	if p.rand.IntN(3) == 0 {
		req.Roles = []model.Role{" user", model.RoleTool, ""}
	}
	if p.limit > 0 && p.stored[key] > p.limit {
		return // the one in memory has thrown away what lies before
	}
	p.both("window", func(_ int, s service) (any, error) {
		got, err := s.GetEventWindow(p.t.Context(), req)
		return encode(p.t, got), err
	})
}

func (p *pair) track(key session.Key) {
	p.t.Helper()
	p.hold(key)
	held := p.held[key]
	payload := pick(p, []json.RawMessage{nil, json.RawMessage(`{"a": 1.0,  "b<": "\u0000"}`), json.RawMessage("not json"), json.RawMessage(" [1] "), json.RawMessage("null"), {}})
	e := &session.TrackEvent{Track: pick(p, []session.Track{"agui", "b/c", ""}), Payload: payload, Timestamp: p.time()}
	p.both("track", func(side int, s service) (any, error) {
		err := s.AppendTrackEvent(p.t.Context(), held[side], e)
		return see(p.t, held[side]), err
	})
}

func (p *pair) states(key session.Key) {
	p.t.Helper()
	ctx, user := p.t.Context(), session.UserKey{AppName: key.AppName, UserID: key.UserID}
	state, name := p.state(stateKeys[:1+p.rand.IntN(len(stateKeys))]), pick(p, stateKeys)
	p.both("states", func(_ int, s service) (any, error) {
		switch p.events % 5 {
		case 0:
			return nil, s.UpdateAppState(ctx, key.AppName, state)
		case 1:
			return nil, s.UpdateUserState(ctx, user, state)
		case 2:
			return nil, s.UpdateSessionState(ctx, key, state)
		case 3:
			return nil, s.DeleteAppState(ctx, key.AppName, name)
		}
		return nil, s.DeleteUserState(ctx, user, name)
	})
	p.both("app states", func(_ int, s service) (any, error) {
		got, err := s.ListAppStates(ctx, key.AppName)
		return seeState(got), err
	})
	p.both("user states", func(_ int, s service) (any, error) {
		got, err := s.ListUserStates(ctx, user)
		return seeState(got), err
	})
	p.events++
}

// state has each value under one key alone once the prefixes are off: which one of two wins is the
// order of a map.
func (p *pair) state(keys []string) session.StateMap {
	state := session.StateMap{}
	for range p.rand.IntN(3) {
		clear(state)
		state[pick(p, keys)] = pick(p, [][]byte{nil, {}, {0}, {0, 0}, {0, 1}, []byte("v"), []byte(`{"a": 1}`), {0xff, 0xfe}})
	}
	return state
}

// time has ties and goes back.
func (p *pair) time() time.Time {
	return base.Add(time.Duration(p.rand.IntN(8)) * 250 * time.Nanosecond).Add(time.Duration(p.rand.IntN(2)) * time.Hour)
}

func (p *pair) event() *event.Event {
	p.events++
	e := &event.Event{
		ID: fmt.Sprintf("e%d", p.events), Author: pick(p, []string{"user", "planner", "\x00", ""}), InvocationID: "i", Timestamp: p.time(),
		Version: event.CurrentVersion, FilterKey: "travel/x", Branch: "b", StateDelta: p.state(stateKeys),
		Extensions: map[string]json.RawMessage{"x": json.RawMessage(`{"n":1.50}`)},
	}
	stop, text := "stop", "part"
	message := pick(p, []model.Message{
		model.NewUserMessage(fmt.Sprint("text ", p.events)), model.NewAssistantMessage("nul \x00 and <b>"),
		model.NewToolMessage("c1", "find", "found"), model.NewSystemMessage("be brief"),
		{Role: model.RoleUser, Content: " "},
		{Role: model.RoleAssistant, ToolCalls: []model.ToolCall{{ID: "c1", Type: "function", Function: model.FunctionDefinitionParam{Name: "find", Arguments: []byte(`{"q": "Porto"}`)}}}},
		{Role: model.RoleAssistant, ReasoningContent: "hm"},
		{},
		{Role: "critic", Content: "no"},
		{Role: model.RoleUser, ContentParts: []model.ContentPart{{Type: "text", Text: &text}, {Type: "image", Image: &model.Image{Data: []byte{1}, Format: "png"}}}},
	})
	if message.Role == model.RoleUser && p.events%40 > 20 { // for long the user says nothing
		message = model.NewAssistantMessage("on and on")
	}
	r := &model.Response{Object: model.ObjectTypeChatCompletion, Model: "m", Done: true, Choices: []model.Choice{{Message: message, FinishReason: &stop}}}
	switch p.rand.IntN(12) {
	case 0:
		r = nil
		e.StateDelta = map[string][]byte{"silent": []byte("1")}
	case 1:
		r.IsPartial = true
		e.StateDelta = map[string][]byte{"partial": nil}
	case 2:
		r.Choices = []model.Choice{{Delta: message}, {Index: 1, Message: model.NewAssistantMessage("second")}}
	case 3:
		r.Usage = &model.Usage{PromptTokens: 7, CompletionTokens: -3}
	}
	if !r.IsValidContent() { // not stored: with no change of state nothing happens here, which TestQuiet has
		e.StateDelta = map[string][]byte{"silent": []byte("2")}
	}
	e.Response = r
	return e
}
