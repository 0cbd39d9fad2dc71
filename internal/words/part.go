package words

import "unicode/utf8"

// FindPart returns where a text contains part, ignoring case, in order and without overlaps. Its
// time is in proportion to the text and the part.
func FindPart(text, part string) []Match {
	want := make([]rune, 0, len(part))
	for _, r := range part {
		want = append(want, lower(r))
	}
	if len(want) == 0 {
		return nil
	}
	var found []Match
	// The search of Knuth, Morris and Pratt: same is how many characters of part the text has
	// before at, and starts has where the last of them begin.
	borders, starts := bordersOf(want), make([]int, len(want))
	same, n := 0, 0
	for at := 0; at < len(text) && len(found) < maxMatches; n++ {
		r, size := utf8.DecodeRuneInString(text[at:])
		starts[n%len(starts)] = at
		at += size
		same = advance(want, borders, same, lower(r))
		if same == len(want) {
			found = append(found, Match{Span: Span{starts[(n+1)%len(starts)], at}})
			same = 0
		}
	}
	return found
}

// bordersOf returns, for each number of first characters, how many of the last of them are
// the first ones again.
func bordersOf(part []rune) []int {
	borders := make([]int, len(part)+1)
	for i, same := 1, 0; i < len(part); i++ {
		same = advance(part, borders, same, part[i])
		borders[i+1] = same
	}
	return borders
}

// advance returns how many of the first characters of part there are after one more character.
func advance(part []rune, borders []int, same int, r rune) int {
	for same > 0 && part[same] != r {
		same = borders[same]
	}
	if part[same] == r {
		same++
	}
	return same
}
