package trpc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trpc.group/trpc-go/trpc-agent-go/event"
	"trpc.group/trpc-go/trpc-agent-go/model"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// GetEventWindow returns the event with an id and events of the session before and after it: those
// with a text, of users, agents and tools, of the roles that the request names if it names some. It
// returns session.ErrEventWindowAnchorNotFound if there is no such event among those.
func (s *Service) GetEventWindow(ctx context.Context, req session.EventWindowRequest) (*session.EventWindow, error) {
	if err := req.Key.CheckSessionKey(); err != nil {
		return nil, err
	}
	anchor := strings.TrimSpace(req.AnchorEventID)
	if anchor == "" {
		return nil, errors.New("trpc: anchor event id is required")
	}
	if req.Before < 0 || req.After < 0 {
		return nil, errors.New("trpc: event window requires before >= 0 and after >= 0")
	}
	entries, err := s.window(ctx, req, anchor)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("%w: %s", session.ErrEventWindowAnchorNotFound, anchor)
	}
	if err != nil {
		return nil, failed("get window of", req.Key, err)
	}
	return &session.EventWindow{SessionKey: req.Key, AnchorEventID: anchor, Entries: entries}, nil
}

// window returns store.ErrNotFound if there is no anchor.
func (s *Service) window(ctx context.Context, req session.EventWindowRequest, anchor string) ([]session.EventWindowEntry, error) {
	sc, c, err := s.find(ctx, req.Key)
	if err != nil {
		return nil, err
	}
	m, err := sc.Messages().GetByKey(ctx, c.ID, idempotencyKey(anchor))
	if err != nil {
		return nil, err
	}
	roles := rolesOf(req.Roles)
	middle, err := entry(m, roles)
	if err != nil {
		return nil, err
	}
	if middle == nil {
		return nil, store.ErrNotFound
	}
	r := reader{sc, c.ID}
	before, err := r.near(ctx, store.MessageFilter{BeforeSeq: m.Seq, Order: store.ReverseThreadOrder}, req.Before, roles)
	if err != nil {
		return nil, err
	}
	after, err := r.near(ctx, store.MessageFilter{AfterSeq: m.Seq, Order: store.ThreadOrder}, req.After, roles)
	if err != nil {
		return nil, err
	}
	slices.Reverse(before)
	return append(append(before, *middle), after...), nil
}

// near reads the first n entries that the filter finds.
func (r reader) near(ctx context.Context, f store.MessageFilter, n int, roles []model.Role) ([]session.EventWindowEntry, error) {
	var got []session.EventWindowEntry
	p := store.PageRequest{Limit: min(2*n, store.MaxLimit)}
	for n > 0 {
		page, err := r.sc.Messages().List(ctx, r.id, f, p)
		if err != nil {
			return nil, err
		}
		for _, m := range page.Items {
			e, err := entry(m, roles)
			if err != nil {
				return nil, err
			}
			if e == nil {
				continue
			}
			if got = append(got, *e); len(got) == n {
				return got, nil
			}
		}
		if p.After = page.Next; p.After == "" {
			break
		}
	}
	return got, nil
}

func rolesOf(roles []model.Role) (all []model.Role) {
	for _, r := range roles {
		if r = model.Role(strings.TrimSpace(string(r))); r != "" {
			all = append(all, r)
		}
	}
	return all
}

// entry returns the entry of a message, nil if the window is not to have it.
func entry(m *message.Message, roles []model.Role) (*session.EventWindowEntry, error) {
	if !shown(m) {
		return nil, nil //nolint:nilnil // not in the window
	}
	e, err := fromMessage(m)
	if err != nil {
		return nil, err
	}
	role, ok := windowRole(&e)
	if !ok || len(roles) > 0 && !slices.Contains(roles, role) {
		return nil, nil //nolint:nilnil // not in the window
	}
	return &session.EventWindowEntry{Event: e, CreatedAt: e.Timestamp}, nil
}

// windowRole returns who speaks in the first choice of an event, and false if that has no text to
// search, as the framework has it for windows.
func windowRole(e *event.Event) (model.Role, bool) {
	if e.Response == nil || e.IsPartial || len(e.Choices) == 0 {
		return "", false
	}
	m := e.Choices[0].Message
	role := m.Role
	if role == "" {
		role = model.RoleAssistant
	}
	if m.ToolID != "" {
		role = model.RoleTool
	}
	if len(m.ToolCalls) > 0 || role != model.RoleUser && role != model.RoleAssistant && role != model.RoleTool {
		return "", false
	}
	if strings.TrimSpace(m.Content) != "" {
		return role, true
	}
	return role, slices.ContainsFunc(m.ContentParts, func(p model.ContentPart) bool {
		return p.Text != nil && strings.TrimSpace(*p.Text) != ""
	})
}
