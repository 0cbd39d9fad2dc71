package inbox

import (
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
)

// presenceTTL is how long somebody counts as looking after their page was last heard of.
const presenceTTL = 30 * time.Second

// presence knows who looks at which conversation: in this process alone, and for a short time. It is
// a courtesy between operators. What they decide is guarded by the database.
type presence struct {
	clock func() time.Time
	mu    sync.Mutex
	seen  map[thread]map[string]sighting
	swept time.Time
}

// thread names a conversation.
type thread struct{ user, id uuid.UUID }

// sighting is when an operator was last seen, and what they are called.
type sighting struct {
	at   time.Time
	name string
}

func newPresence(clock func() time.Time) *presence {
	return &presence{clock: clock, seen: map[thread]map[string]sighting{}}
}

// see notes that an operator looks at a conversation, and returns the names of the others, sorted.
func (p *presence) see(user, id uuid.UUID, op Operator) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, at := p.clock(), thread{user, id}
	p.sweep(now)
	if p.seen[at] == nil {
		p.seen[at] = map[string]sighting{}
	}
	p.seen[at][op.ID] = sighting{now, oneLine(op.Label())}
	var others []string
	for id, s := range p.seen[at] {
		if id != op.ID && now.Sub(s.at) < presenceTTL {
			others = append(others, s.name)
		}
	}
	slices.Sort(others)
	return others
}

// leave notes that an operator looks no more.
func (p *presence) leave(user, id uuid.UUID, op Operator) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.seen[thread{user, id}], op.ID)
}

// sweep forgets what is out of date, now and then.
func (p *presence) sweep(now time.Time) {
	if now.Sub(p.swept) < presenceTTL {
		return
	}
	p.swept = now
	for at, people := range p.seen {
		for id, s := range people {
			if now.Sub(s.at) >= presenceTTL {
				delete(people, id)
			}
		}
		if len(people) == 0 {
			delete(p.seen, at)
		}
	}
}
