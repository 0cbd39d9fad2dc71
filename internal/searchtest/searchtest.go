// Package searchtest has texts, queries and what a search by words has to find, and says the
// same once more in plain Go, slowly. It is for tests alone.
//
// [Groups] is the table that every database is held against, and that docs/search.md shows. The
// functions beside it ([Find], [MarksOf]) take any texts and any query, and know nothing of
// an index: of the code that they test they use the tokenizer alone.
package searchtest

// How a query asks for a text.
type How int

// The ways, as those of store.Match.
const (
	// All asks for all words.
	All How = iota
	// Any asks for any of the words, and for none with a minus.
	Any
	// Part asks for the query as it is, also inside words.
	Part
)

// Text is a text to search in.
type Text struct {
	// Name tells the texts of a group apart.
	Name  string
	Value string
}

// Marks say for the name of each text that a query finds what its snippet marks, joined by "|".
type Marks map[string]string

// Query is one question to the texts of a group.
type Query struct {
	Ask   string
	How   How
	Finds Marks
	// Order are the names of all that is found, best match first, where the rank is not a
	// matter of taste: a rare word before a common one, twice before once, a short text before
	// a long one. Nil says nothing.
	Order []string
	// Doc shows the query and the text with this name in docs/search.md, if it is not empty.
	Doc string
}

// Group are texts that belong to one user, and nothing else does, and queries to them. A text
// that a query does not name must not be found.
type Group struct {
	// Kind is what the texts have in common, and the name of a test.
	Kind    string
	Texts   []Text
	Queries []Query
	// Languages are what the conversations of the texts name, by the names of the texts. Most
	// name none.
	Languages map[string]string
}

// Values are the texts alone.
func (g Group) Values() []string {
	all := make([]string, len(g.Texts))
	for i, t := range g.Texts {
		all[i] = t.Value
	}
	return all
}

// Said are the texts with their languages.
func (g Group) Said() []Said {
	all := make([]Said, len(g.Texts))
	for i, t := range g.Texts {
		all[i] = Said{t.Value, g.Languages[t.Name]}
	}
	return all
}

// Groups returns the whole table.
func Groups() []Group {
	var all []Group
	for _, part := range [][]Group{signs(), codes(), latin(), otherScripts(), denseScripts(), mails(), syntax(), ranks(), hostile()} {
		all = append(all, part...)
	}
	return all
}

// Text is the text with a name, empty if there is none.
func (g Group) Text(name string) string {
	for _, t := range g.Texts {
		if t.Name == name {
			return t.Value
		}
	}
	return ""
}
