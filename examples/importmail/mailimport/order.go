package mailimport

import "slices"

// parentsFirst sorts mails by date, and puts each behind the mails that it answers, also
// where somebody's clock was wrong: the thread of a reply is found by what is stored.
func parentsFirst(mails []entry) []entry {
	slices.SortStableFunc(mails, func(a, b entry) int { return a.date.Compare(b.date) })
	o := ordering{
		mails: mails, byID: make(map[uint64]int, len(mails)),
		begun: make([]bool, len(mails)), sorted: make([]entry, 0, len(mails)),
	}
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
	begun  []bool
	sorted []entry
}

// emit puts a mail behind its parents. One that has begun is not begun again, which ends
// the circles that forged headers make.
func (o *ordering) emit(i int) {
	if o.begun[i] {
		return
	}
	o.begun[i] = true
	stack := []int{i}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		if parent, ok := o.nextParent(top); ok {
			o.begun[parent] = true
			stack = append(stack, parent)
			continue
		}
		stack = stack[:len(stack)-1]
		o.sorted = append(o.sorted, o.mails[top])
	}
}

func (o *ordering) nextParent(i int) (int, bool) {
	for _, id := range o.mails[i].parents {
		if parent, ok := o.byID[id]; ok && !o.begun[parent] {
			return parent, true
		}
	}
	return 0, false
}
