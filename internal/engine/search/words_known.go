package search

import "github.com/convostore/convostore/internal/engine/scope"

// knownThreads are conversations of matches that a search came across. One that the search may not
// return, or that was returned, is nil.
type knownThreads map[scope.OwnedID]*threadMatch

// add reads the conversations of matches that are not known yet.
func (k knownThreads) add(s threadSearch, matches []match) error {
	var fresh []scope.OwnedID
	for _, m := range matches {
		key := m.conversation()
		if _, ok := k[key]; !ok {
			k[key] = nil
			fresh = append(fresh, key)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	threads, err := s.eligibleThreads(fresh, nil)
	if err != nil {
		return err
	}
	threads, err = s.matching(threads)
	for i := range threads {
		k[threads[i].key] = &threads[i]
	}
	return err
}

// take returns the conversation of a match if that is its best, else nil: a better one came
// before, or one that the search may return will come.
func (k knownThreads) take(m match) *threadMatch {
	th := k[m.conversation()]
	if th == nil || th.score != m.score {
		return nil
	}
	k[th.key] = nil
	return th
}
