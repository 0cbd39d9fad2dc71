package words

import (
	"slices"
	"strings"
)

// automaton is that of Aho and Corasick, with words in the place of letters: each word of a text
// is one step, however many phrases have begun and however they repeat themselves.
type automaton struct {
	states []state
	// words are the numbers of whole words, and prefixes those of words that are only the
	// beginning of one; lengths are the different lengths of prefixes.
	words, prefixes map[string]int
	lengths         []int
	// next is the state after a whole word, and begins are the terms that end where a word with
	// a prefix follows a state.
	next   map[edge]int
	begins map[edge][]int
	// longest is the number of words of the longest term.
	longest int
}

type edge struct{ state, word int }

// state is the beginning of some phrase.
type state struct {
	// ends are the terms that are complete here.
	ends []int
	// open says that a prefix may follow here.
	open bool
	// shorter is the state of the longest end of this beginning that is a beginning too, and
	// ending and opening the first one on that way with ends and with open. Its own are 0.
	shorter, ending, opening int
}

func newAutomaton(terms []Term) automaton {
	a := automaton{
		states: make([]state, 1), words: map[string]int{}, prefixes: map[string]int{},
		next: map[edge]int{}, begins: map[edge][]int{},
	}
	var order []edge // of the states: parents first, as each is made from its parent
	for i, t := range terms {
		a.longest = max(a.longest, len(t.Words))
		if len(t.Words) > 0 {
			order = append(order, a.add(i, t)...)
		}
	}
	a.link(order)
	return a
}

// add makes the states of a term, and returns the ways to the new ones.
func (a *automaton) add(i int, t Term) (ways []edge) {
	whole, last := t.Words, ""
	if t.Prefix {
		whole, last = t.Words[:len(t.Words)-1], t.Words[len(t.Words)-1]
	}
	at := 0
	for _, w := range whole {
		e := edge{at, number(a.words, w)}
		if a.next[e] == 0 {
			a.next[e] = len(a.states)
			a.states = append(a.states, state{})
			ways = append(ways, e)
		}
		at = a.next[e]
	}
	if !t.Prefix {
		a.states[at].ends = append(a.states[at].ends, i)
		return ways
	}
	a.states[at].open = true
	e := edge{at, number(a.prefixes, last)}
	a.begins[e] = append(a.begins[e], i)
	if !slices.Contains(a.lengths, len(last)) {
		a.lengths = append(a.lengths, len(last))
	}
	return ways
}

// number returns the number of a word, a new one if it has none.
func number(of map[string]int, word string) int {
	n, ok := of[word]
	if !ok {
		n = len(of)
		of[word] = n
	}
	return n
}

// link finds the shorter states, those of short beginnings first.
func (a *automaton) link(ways []edge) {
	depth := make([]int, len(a.states))
	for _, e := range ways {
		depth[a.next[e]] = depth[e.state] + 1
	}
	slices.SortStableFunc(ways, func(x, y edge) int { return depth[x.state] - depth[y.state] })
	for _, e := range ways {
		s := &a.states[a.next[e]]
		if e.state != 0 {
			s.shorter, _ = a.step(a.states[e.state].shorter, e.word)
		}
		short := a.states[s.shorter]
		s.ending, s.opening = short.ending, short.opening
		if len(short.ends) > 0 {
			s.ending = s.shorter
		}
		if short.open {
			s.opening = s.shorter
		}
	}
}

// step returns the state after a word, and how many states it tried.
func (a *automaton) step(at, word int) (to, tried int) {
	for {
		tried++
		if to, ok := a.next[edge{at, word}]; ok {
			return to, tried
		}
		if at == 0 {
			return 0, tried
		}
		at = a.states[at].shorter
	}
}

// beginnings are the numbers of the prefixes that a word has.
func (a *automaton) beginnings(word string) (numbers []int) {
	for _, n := range a.lengths {
		if n > len(word) {
			continue
		}
		if p, ok := a.prefixes[word[:n]]; ok {
			numbers = append(numbers, p)
		}
	}
	return numbers
}

// head is where a token ends for the prefix of a term: behind the first character of a pair if
// the prefix is no more than that, else behind the word.
func head(t Token, prefix string) int {
	if t.dense && len(prefix) <= int(t.headTerm) && strings.HasPrefix(t.Term, prefix) {
		return t.Start + int(t.head)
	}
	return t.End
}
