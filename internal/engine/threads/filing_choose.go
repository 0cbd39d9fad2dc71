package threads

import (
	"cmp"
	"slices"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
)

// chooser decides to which conversations a mail belongs. Two conversations belong together if they
// have mails that share an id, as their own or as one that they answer, and have an address in
// common. Both only grow when conversations are joined, so the order of mails makes no difference.
type chooser struct {
	lookup
	hits       []*hit
	candidates map[scope.OwnedID]*candidate
	crowds     map[scope.OwnedID]crowd
	// lead and app are those that the mail has, then those of the first conversation that has one.
	lead, app string
	// chosen are the conversations, the nearest first, and through are the messages that led to them.
	chosen  []*candidate
	through []*hit
	// parted are conversations that an id leads to and whose people have nothing to do with the mail.
	parted []*hit
}

func newChooser(l lookup, hits []*hit, candidates map[scope.OwnedID]*candidate, lead, app string) *chooser {
	return &chooser{lookup: l, hits: hits, candidates: candidates, crowds: map[scope.OwnedID]crowd{}, lead: lead, app: app}
}

// choose finds the conversations. Without any it leaves chosen empty.
func (c *chooser) choose() error {
	for _, r := range c.threads {
		if best := c.newest(c.named(byThread, nameOf(r))); best != nil {
			c.take(c.candidates[best.thread], nil)
		}
	}
	if err := c.chooseParents(); err != nil {
		return err
	}
	// Ids that the mail answers, or has, and that others answer.
	for _, id := range slices.Concat(c.answers, c.ids) {
		for _, h := range c.named(byAwaited, id) {
			if ok, err := c.knows(h); err != nil {
				return err
			} else if ok {
				c.take(c.candidates[h.thread], nil)
			}
		}
	}
	if len(c.chosen) == 0 && c.reply {
		if err := c.chooseSubject(); err != nil {
			return err
		}
	}
	return c.joinContested()
}

// chooseParents takes the conversations of the mails that the mail answers, nearest first.
func (c *chooser) chooseParents() error {
	parts := localParts(c.answers)
	for i, id := range c.answers {
		var known []*hit
		for _, h := range slices.Concat(c.named(byID, id), c.named(byPostmark, parts[i])) {
			if !c.fits(c.candidates[h.thread]) {
				continue
			}
			ok, err := c.knows(h)
			if err != nil {
				return err
			}
			if ok {
				known = append(known, h)
			}
		}
		// Of several mails with one id the one of the same people is meant.
		most := 0
		for _, h := range known {
			most = max(most, h.people.common(c.people))
		}
		known = slices.DeleteFunc(known, func(h *hit) bool { return h.people.common(c.people) < most })
		if best := c.newest(known); best != nil && !c.takenApart(best) {
			c.take(c.candidates[best.thread], best)
		}
	}
	return nil
}

// takenApart tells whether somebody has taken a message out of a conversation that is chosen: one of
// the two messages answers the other, and so they were together once.
func (c *chooser) takenApart(h *hit) bool {
	for _, t := range c.through {
		if t.thread == h.thread || c.isContested(t.name) || c.isContested(h.name) {
			continue
		}
		if slices.Contains(t.answers, h.name) || slices.Contains(h.answers, t.name) {
			return true
		}
	}
	return false
}

func (c *chooser) isContested(name string) bool { return len(c.named(byContested, name)) > 0 }

func (c *chooser) named(v via, name string) (found []*hit) {
	for _, h := range c.hits {
		if h.via == v && h.name == name {
			found = append(found, h)
		}
	}
	return found
}

// newest returns the hit whose conversation fits and was active last, nil if none fits.
func (c *chooser) newest(hits []*hit) (best *hit) {
	for _, h := range hits {
		if t := c.candidates[h.thread]; c.fits(t) && (best == nil || c.candidates[best.thread].before(t)) {
			best = h
		}
	}
	return best
}

func (t *candidate) before(o *candidate) bool {
	return cmp.Or(t.lastActivity.Compare(o.lastActivity), t.Compare(o.OwnedID)) < 0
}

// fits tells whether a conversation is live and has no other lead or app, nor owner.
func (c *chooser) fits(t *candidate) bool {
	return t != nil && !t.deleted && c.isOurs(t)
}

func (c *chooser) isOurs(t *candidate) bool {
	same := func(a, b string) bool { return a == "" || b == "" || a == b }
	return same(c.lead, t.lead) && same(c.app, t.app) && (len(c.chosen) == 0 || c.chosen[0].User == t.User)
}

// knows tells whether the people of a hit, or else of its conversation, have to do with the mail.
func (c *chooser) knows(h *hit) (bool, error) {
	t := c.candidates[h.thread]
	if t == nil || t.merged || !c.isOurs(t) {
		return false, nil
	}
	if len(c.people) == 0 || h.people.common(c.people) > 0 {
		return true, nil
	}
	all, err := c.crowd(t.OwnedID)
	if err != nil || all.all.meets(c.people) {
		return err == nil, err
	}
	if !t.deleted {
		c.parted = append(c.parted, h)
	}
	return false, nil
}

func (c *chooser) crowd(id scope.OwnedID) (crowd, error) {
	if known, ok := c.crowds[id]; ok {
		return known, nil
	}
	found, err := c.crowdOf(id)
	c.crowds[id] = found
	return found, err
}

func (c *chooser) isChosen(id scope.OwnedID) bool {
	return slices.ContainsFunc(c.chosen, func(t *candidate) bool { return t.OwnedID == id })
}

// take adds a conversation if it fits those that are chosen.
func (c *chooser) take(t *candidate, through *hit) {
	if !c.fits(t) {
		return
	}
	if through != nil {
		c.through = append(c.through, through)
	}
	if !c.isChosen(t.OwnedID) {
		c.chosen = append(c.chosen, t)
		c.lead, c.app = cmp.Or(c.lead, t.lead), cmp.Or(c.app, t.app)
	}
}

// chooseSubject takes the latest conversation of the subject with the mail's correspondents.
func (c *chooser) chooseSubject() error {
	others := correspondents(c.Direction, c.SenderEmail, c.RecipientEmail, c.Headers)
	var known []*hit
	for _, h := range c.named(bySubject, c.subject) {
		if !c.fits(c.candidates[h.thread]) {
			continue
		}
		in, err := c.crowd(h.thread)
		if err != nil {
			return err
		}
		if in.others.common(others) > 0 {
			known = append(known, h)
		}
	}
	if best := c.newest(known); best != nil {
		c.take(c.candidates[best.thread], nil)
	}
	return nil
}

// joinContested takes conversations that had nothing to do with the chosen ones until the mail, or one
// of the others, brought an address that both have.
func (c *chooser) joinContested() error {
	ours := people{}
	ours.addAll(c.people)
	counted := 0
	for again := true; again; {
		again = false
		for _, h := range c.hits {
			if !c.isClose(h) {
				continue
			}
			for ; counted < len(c.chosen); counted++ {
				in, err := c.crowd(c.chosen[counted].OwnedID)
				if err != nil {
					return err
				}
				ours.addAll(in.all)
			}
			in, err := c.crowd(h.thread)
			if err != nil {
				return err
			}
			if in.all.meets(ours) {
				c.take(c.candidates[h.thread], nil)
				again = true
			}
		}
	}
	return nil
}

// isClose tells whether only its people keep a hit's conversation from the chosen ones.
func (c *chooser) isClose(h *hit) bool {
	if c.isChosen(h.thread) || !c.fits(c.candidates[h.thread]) {
		return false
	}
	return slices.Contains(c.parted, h) || h.via == byContested && c.holds(h.name)
}

// holds tells whether a contested id is one of the mail's or of a chosen conversation.
func (c *chooser) holds(name string) bool {
	return slices.Contains(c.ids, name) || slices.Contains(c.answers, name) ||
		slices.ContainsFunc(c.named(byContested, name), func(h *hit) bool { return c.isChosen(h.thread) })
}

// deletedThread is a deleted conversation that the mail would belong to, or nil.
func (c *chooser) deletedThread() (*candidate, error) {
	for _, h := range c.hits {
		t := c.candidates[h.thread]
		if t == nil || !t.deleted || t.merged || h.via == byContested || h.via == bySubject || !c.isOurs(t) {
			continue
		}
		if h.via == byThread {
			return t, nil
		}
		if ok, err := c.knows(h); err != nil || ok {
			return t, err
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

// notes are the names under which the mail is to be found by those that come later, with the message
// that each is a name of: nil for the mail itself.
func (c *chooser) notes() (notes map[uuid.UUID][]message.Ref) {
	notes = map[uuid.UUID][]message.Ref{}
	add := func(id uuid.UUID, provider, ref string) {
		r := message.Ref{Provider: provider, Ref: ref}
		if isName(ref) && !slices.Contains(notes[id], r) {
			notes[id] = append(notes[id], r)
		}
	}
	parts := localParts(c.answers)
	for i, id := range c.answers {
		here := func(h *hit) bool { return c.isChosen(h.thread) }
		if !slices.ContainsFunc(slices.Concat(c.named(byID, id), c.named(byPostmark, parts[i]), c.named(byAwaited, id)), here) {
			add(uuid.Nil, awaited, id)
		}
	}
	for _, h := range c.parted {
		id := h.name
		if i := slices.Index(parts, id); h.via == byPostmark && i >= 0 {
			id = c.answers[i]
		}
		if !c.isChosen(h.thread) {
			add(h.id, contested, id)
			add(uuid.Nil, contested, id)
		}
	}
	if c.subject != "" && !slices.ContainsFunc(c.named(bySubject, c.subject), func(h *hit) bool { return c.isChosen(h.thread) }) {
		add(uuid.Nil, subjects, c.subject)
	}
	return notes
}
