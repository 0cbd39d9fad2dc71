package window

import (
	"cmp"
	"slices"
)

// take takes what is pinned and then the newest units that the budget has room for.
func (w *builder) take() error {
	w.pin()
	var spent cost
	for _, u := range w.units {
		for _, i := range u.items {
			i.cost = w.cost(i)
			u.cost = u.cost.plus(i.cost)
		}
		if u.pinned {
			u.taken, spent = true, spent.plus(u.cost)
		}
	}
	if !spent.within(w.budget) {
		return &TooSmallError{Tokens: spent.tokens, Bytes: spent.bytes, Messages: spent.messages}
	}
	for _, u := range slices.Backward(w.units) {
		if u.taken {
			continue
		}
		if !spent.plus(u.cost).within(w.budget) {
			break
		}
		u.taken, spent = true, spent.plus(u.cost)
	}
	w.lead()
	return nil
}

func (w *builder) cost(i *item) cost {
	if i.summary != nil {
		return w.count.text(i.summary.Content)
	}
	return w.count.of(i.message, len(i.calls)+len(i.results))
}

// pin pins the system's messages and the last user's. Where that stands in a step, a message
// that a user's turn may begin with is pinned as well; without one the step is dissolved.
func (w *builder) pin() {
	for at := 0; at < len(w.units); at++ {
		u := w.units[at]
		if u.system() {
			u.pinned = true
			continue
		}
		if w.last == nil || !slices.Contains(u.items, w.last) {
			continue
		}
		if u.leads() || w.pinBefore(at) {
			u.pinned = true
			continue
		}
		w.units = slices.Replace(w.units, at, at+1, w.free(u)...)
		at--
	}
}

// pinBefore pins the last unit before a place that a window may begin with.
func (w *builder) pinBefore(at int) bool {
	for _, before := range slices.Backward(w.units[:at]) {
		if before.leads() {
			before.pinned = true
			return true
		}
	}
	return false
}

// free leaves out a step in which the last user speaks, but for what users say.
func (w *builder) free(u *unit) []*unit {
	var units []*unit
	for _, i := range u.items {
		if alone := w.stripped(i); alone != nil {
			units = append(units, &unit{items: []*item{alone}})
		} else {
			w.leave(i, BeforeUser)
		}
	}
	return units
}

// lead drops what is before the first message that a window may begin with.
func (w *builder) lead() {
	begun := false
	for _, u := range w.units {
		begun = begun || u.taken && !u.system() && u.leads()
		switch {
		case !u.taken:
			w.leaveAll(u, OverBudget)
		case !begun && !u.system():
			u.taken = false
			w.leaveAll(u, BeforeUser)
		}
	}
}

func (w *builder) leaveAll(u *unit, r Reason) {
	for _, i := range u.items {
		w.leave(i, r)
	}
}

func (w *builder) window() Window {
	var out Window
	for _, u := range w.units {
		if !u.taken {
			continue
		}
		for _, i := range u.items {
			out.Tokens, out.Bytes = out.Tokens+i.cost.tokens, out.Bytes+i.cost.bytes
			out.Entries = append(out.Entries, Entry{Message: i.message, Summary: i.summary, Synthetic: i.run == ofWindow, Altered: i.altered, Tokens: i.cost.tokens})
		}
	}
	slices.SortStableFunc(w.leftOut, func(a, b LeftOut) int { return cmp.Compare(a.Seq, b.Seq) })
	out.LeftOut = w.leftOut
	return out
}
