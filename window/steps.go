package window

import (
	"slices"
	"strings"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/payload"
)

// link finds the call of each result. A message with a result that answers nothing, or that
// answers calls of two steps, is left out, or altered if a user says something in it as well.
// Text of a user's goes after all results of a step, so that only one message may have both.
func (w *builder) link() {
	w.number()
	var open []*openCall
	said := map[int]bool{}
	for at, i := range w.items {
		open = append(open, i.calls...)
		if len(i.results) == 0 {
			continue
		}
		calls, run := w.answer(open, i)
		if calls == nil || i.says() && said[run] {
			w.strip(at, WithoutCall)
			continue
		}
		said[run] = said[run] || i.says()
		for _, c := range calls {
			c.answered = true
		}
		open = slices.DeleteFunc(open, func(c *openCall) bool { return c.answered })
		i.run = run
	}
	w.items = slices.DeleteFunc(w.items, func(i *item) bool { return i == nil })
}

// number gives the messages that call the number of their step: those of an assistant's that
// follow each other. One that has its own results is a step by itself.
func (w *builder) number() {
	step, open := 0, false
	for _, i := range w.items {
		switch {
		case i.role() != message.RoleAssistant:
			open = false
		case len(i.results) > 0:
			step, open = step+1, false
			i.run = step
		case len(i.calls) > 0:
			if !open {
				step, open = step+1, true
			}
			i.run = step
		}
	}
}

// answer returns the open calls that the results of a message answer, and their step; nil if one
// answers nothing or another step. Of several the newest step counts, and in it the first call.
func (w *builder) answer(open []*openCall, i *item) (calls []*openCall, run int) {
	for _, r := range i.results {
		var found *openCall
		for _, c := range open {
			if i.mayAnswer(c) && answers(r, c.Call) && !slices.Contains(calls, c) &&
				(run == 0 || c.of.run == run) && (found == nil || c.of.run > found.of.run) {
				found = c
			}
		}
		if found == nil {
			return nil, 0
		}
		calls, run = append(calls, found), found.of.run
	}
	return calls, run
}

// mayAnswer tells whether a message may have the result of a call: an assistant's has those of
// its own calls, and nobody else has them.
func (i *item) mayAnswer(c *openCall) bool {
	if i.role() == message.RoleAssistant {
		return c.of == i
	}
	return len(c.of.results) == 0
}

// answers tells whether a result is of a call: by its id if it has one, or else by its name, if it
// has that. payload.NewPrompt goes by the same.
func answers(r payload.Result, c payload.Call) bool {
	if r.CallID != "" {
		return r.CallID == c.ID
	}
	return r.Name == "" || r.Name == c.Name
}

// strip takes a message out of the items, but for the text that a user says in it.
func (w *builder) strip(at int, r Reason) {
	i := w.items[at]
	w.items[at] = w.stripped(i)
	if w.items[at] == nil {
		w.leave(i, r)
	}
}

// says tells whether a user says something in words.
func (i *item) says() bool {
	return i.role() == message.RoleUser && i.message != nil && strings.TrimSpace(i.message.Content) != ""
}

// stripped returns what a user says beside results, nil if that is nothing.
func (w *builder) stripped(i *item) *item {
	if !i.says() {
		return nil
	}
	m := *i.message
	m.Payload, m.PayloadFormat, m.ToolResults, m.ToolCalls = nil, "", nil, nil
	alone := &item{message: &m, altered: true}
	if w.last == i {
		w.last = alone
	}
	return alone
}

// group makes units of the items: steps with their results, thoughts with what they led to, and
// every other message by itself.
func (w *builder) group() {
	results, steps := map[int][]*item{}, map[int]*unit{}
	for _, i := range w.items {
		if i.run > 0 && i.role() != message.RoleAssistant {
			results[i.run] = append(results[i.run], i)
		}
	}
	var thoughts []*item
	goesOn := w.goesOn()
	current := 0 // the step that calls in the present run of an assistant's messages
	for at, i := range w.items {
		switch {
		case i.role() != message.RoleAssistant:
			w.forget(thoughts)
			thoughts, current = nil, 0
			if i.run == 0 {
				w.units = append(w.units, &unit{items: []*item{i}})
			}
			continue
		case payload.OnlyThinks(i.message):
			thoughts = append(thoughts, i)
			continue
		}
		step := steps[i.run]
		if i.run == 0 && current != 0 && goesOn[at] == current {
			step = steps[current]
		}
		if step == nil {
			step = &unit{}
			w.units = append(w.units, step)
		}
		step.items = append(append(step.items, thoughts...), i)
		thoughts = nil
		if i.run > 0 {
			steps[i.run], current = step, i.run
		}
	}
	w.forget(thoughts)
	for _, answered := range results {
		slices.SortStableFunc(answered, func(a, b *item) int {
			switch {
			case a.says() == b.says():
				return 0
			case a.says():
				return 1
			}
			return -1
		})
	}
	w.complete(results)
}

// goesOn returns for each item the step of the next message that calls, 0 if something else than
// an assistant's message is before it.
func (w *builder) goesOn() []int {
	next, steps := 0, make([]int, len(w.items))
	for at, i := range slices.Backward(w.items) {
		if i.role() != message.RoleAssistant {
			next = 0
		} else if i.run > 0 {
			next = i.run
		}
		steps[at] = next
	}
	return steps
}

func (w *builder) forget(thoughts []*item) {
	for _, i := range thoughts {
		w.leave(i, Blank)
	}
}

// complete adds the results to each step. One that lacks some gets results of the window's own,
// or is left out.
func (w *builder) complete(results map[int][]*item) {
	var units []*unit
	for _, u := range w.units {
		run := u.run()
		if run == 0 {
			units = append(units, u)
			continue
		}
		missing, itself := u.missing()
		answered := results[run]
		switch {
		case len(missing) == 0:
			u.items = append(u.items, answered...)
			units = append(units, u)
		case !itself && (w.budget.Missing == AddResult || slices.Contains(answered, w.last)):
			// Calls without ids go by the order of results: the first ones have theirs.
			at := slices.IndexFunc(answered, (*item).says)
			if at < 0 {
				at = len(answered)
			}
			answered = slices.Insert(slices.Clone(answered), at, synthetic(u.items[0].message, missing))
			u.items = append(u.items, answered...)
			units = append(units, u)
		default:
			units = append(units, w.dissolve(u, answered)...)
		}
	}
	w.units = units
}

func (u *unit) run() int {
	for _, i := range u.items {
		if i.run > 0 && i.role() == message.RoleAssistant {
			return i.run
		}
	}
	return 0
}

// missing returns the calls without a result, and whether a message with results of its own is
// among those that call.
func (u *unit) missing() (missing []payload.Call, itself bool) {
	for _, i := range u.items {
		itself = itself || len(i.results) > 0
		for _, c := range i.calls {
			if !c.answered {
				missing = append(missing, c.Call)
			}
		}
	}
	return missing, itself
}

// dissolve leaves out a step, but for what a user says in the messages with its results.
func (w *builder) dissolve(u *unit, answered []*item) []*unit {
	for _, i := range u.items {
		w.leave(i, WithoutResult)
	}
	var units []*unit
	for _, i := range answered {
		if alone := w.stripped(i); alone != nil {
			units = append(units, &unit{items: []*item{alone}})
		} else {
			w.leave(i, WithoutResult)
		}
	}
	return units
}

// synthetic returns the results for calls that have none.
func synthetic(of *message.Message, calls []payload.Call) *item {
	results := make([]payload.Result, len(calls))
	for k, c := range calls {
		results[k] = payload.Result{CallID: c.ID, Name: c.Name, Content: NoResult, IsError: true}
	}
	return &item{message: newSynthetic(of, message.MustJSON(results)), results: results, run: ofWindow}
}
