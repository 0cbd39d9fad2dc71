package store

// Stemmer finds the stems of the words of one language, so that a search for pay finds paying. The
// host provides it, see convostore.WithStemming; the module convostore/stem has Snowball's. It
// must be safe for concurrent use, and give the same stem for the same word at any time.
type Stemmer interface {
	// Language is the language as conversations name it: two or three small letters.
	Language() string
	// Version changes whenever the stems do: it has 1 to 64 letters, digits and signs of ASCII,
	// no space. Texts that another version has stemmed are found by their exact words alone
	// until Maintenance().ReindexSearch.
	Version() string
	// Stem returns the stem of a word, which is in lower case, composed (NFKC) and has its
	// accents. Two words with the same stem are forms of each other; case and accents of stems
	// do not count. An empty stem is that of a word without one, which is then its own.
	Stem(word string) string
}
