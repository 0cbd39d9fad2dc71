package dialect

import (
	"strings"
	"unicode/utf8"
)

// HasLetters is a GLOB that names each character. Before it a LIKE, which needs a third of its
// time, drops most texts that lack the letters whose case SQLite knows or that have none.
func (sqlite) HasLetters(column string, letters [][]rune) (sql string, args []any) {
	var glob strings.Builder
	for _, letter := range letters {
		switch r := letter[0]; {
		case len(letter) > 1 || r == '*' || r == '?' || r == '[':
			glob.WriteString("[" + string(letter) + "]")
		default:
			glob.WriteRune(r)
		}
	}
	sql, args = column+" GLOB ?", []any{"*" + glob.String() + "*"}
	if like := likeLetters(letters); like != "" {
		sql, args = column+` LIKE ? ESCAPE '\' AND `+sql, []any{"%" + like + "%", args[0]}
	}
	return sql, args
}

// likeLetters is the pattern of a LIKE, in which letters with another case than one of ASCII
// stand for any. It begins and ends with a letter that does not, and is empty if there is none.
func likeLetters(letters [][]rune) string {
	var like strings.Builder
	end := 0
	for _, letter := range letters {
		switch {
		case !likeKnows(letter):
			if end > 0 {
				like.WriteByte('_')
			}
			continue
		case strings.ContainsRune(`\%_`, letter[0]):
			like.WriteByte('\\')
		}
		like.WriteRune(letter[0])
		end = like.Len()
	}
	return like.String()[:end]
}

// likeKnows tells whether LIKE takes all characters of a letter for the same, and no others.
func likeKnows(letter []rune) bool {
	return len(letter) == 1 || len(letter) == 2 && letter[1] < utf8.RuneSelf
}

func (sqlite) Replaced(column string, from, to []rune) (sql string, args []any) {
	for i, r := range from {
		args = append(args, string(r), string(to[i]))
	}
	return strings.Repeat("replace(", len(from)) + column + strings.Repeat(", ?, ?)", len(from)), args
}
