package main

import "slices"

// parentsFirst sorts mails by date, and puts each behind the mails that it answers, also
// where somebody's clock was wrong: the thread of a reply is found by what is stored.
func parentsFirst(mails []entry) []entry {
	slices.SortStableFunc(mails, func(a, b entry) int { return a.date.Compare(b.date) })
	o := ordering{mails: mails, byID: make(map[uint64]int, len(mails)), seen: make([]bool, len(mails))}
	for i := range mails {
		if _, taken := o.byID[mails[i].id]; !taken && mails[i].id != 0 {
			o.byID[mails[i].id] = i
		}
	}
	for i := range mails {
		o.emit(i)
	}
	return o.sorted
}

type ordering struct {
	mails  []entry
	byID   map[uint64]int
	seen   []bool
	sorted []entry
}

// emit puts a mail behind its parents. Marking it before they are visited ends the
// circles that forged headers make. The stack is a slice, for a thread may be longer
// than a goroutine likes.
func (o *ordering) emit(i int) {
	stack := []int{i}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		if parent, ok := o.unseenParent(i); ok && !o.seen[i] {
			o.seen[i] = true
			stack = append(stack, parent)
			continue
		}
		stack = stack[:len(stack)-1]
		o.put(i)
	}
}
