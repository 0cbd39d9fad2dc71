package scope

import (
	"sync"

	"github.com/convostore/convostore/internal/vector"
)

// VectorLists is a copy in memory of the centroids of each model's partition. A partition's
// centroids never change.
type VectorLists struct {
	mu      sync.Mutex
	byModel map[string]keptLists
}

type keptLists struct {
	partition int64
	lists     *vector.Lists
}

// Get returns the lists of a partition, or nil if the copy does not have them.
func (l *VectorLists) Get(model string, partition int64) *vector.Lists {
	l.mu.Lock()
	defer l.mu.Unlock()
	if kept := l.byModel[model]; kept.partition == partition {
		return kept.lists
	}
	return nil
}

// Put keeps the lists of a partition instead of those of the model's former one.
func (l *VectorLists) Put(model string, partition int64, lists *vector.Lists) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byModel == nil {
		l.byModel = map[string]keptLists{}
	}
	l.byModel[model] = keptLists{partition, lists}
}

// Drop forgets the lists of a model.
func (l *VectorLists) Drop(model string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.byModel, model)
}
