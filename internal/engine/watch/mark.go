package watch

import (
	"hash/fnv"
	"slices"

	"github.com/google/uuid"
)

// Mark stands for a user in what processes tell each other: it says nothing about who it is, and
// that it is also another user's costs a look in vain. 0 stands for anybody.
type Mark uint32

// MarkOf returns the mark of a user, and that of anybody for uuid.Nil.
func MarkOf(user uuid.UUID) Mark {
	if user == uuid.Nil {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write(user[:])
	return Mark(max(1, h.Sum32()))
}

// maxMarks is how many users are kept apart. Beyond it anybody is meant.
const maxMarks = 200

// rings are the marks of users whose rows were written.
type rings struct {
	marks   map[Mark]struct{}
	anybody bool
}

func (r *rings) add(marks []Mark) {
	if len(marks) == 0 || slices.Contains(marks, 0) || len(r.marks)+len(marks) > maxMarks {
		r.anybody = true
		return
	}
	if r.marks == nil {
		r.marks = map[Mark]struct{}{}
	}
	for _, m := range marks {
		r.marks[m] = struct{}{}
	}
}

func (r *rings) empty() bool { return !r.anybody && len(r.marks) == 0 }

func (r *rings) concern(user uuid.UUID) bool {
	_, ok := r.marks[MarkOf(user)]
	return ok || r.anybody
}
