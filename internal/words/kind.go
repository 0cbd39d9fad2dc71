package words

import (
	"unicode"
	"unicode/utf8"
)

type kind uint8

const (
	other  kind = iota // signs: they end a word, what follows is glued to it
	blank              // spaces and what is not a character: they end a word
	letter             // and digits
	mark
	joiner // without a width, inside words
	dense
	number
	pictograph
	flag
)

var ascii2kind = func() (t [utf8.RuneSelf]kind) {
	for c := range t {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			t[c] = letter
		case c <= ' ' || c == 0x7f:
			t[c] = blank
		}
	}
	return t
}()

var denseScripts = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

func kindOf(r rune, n int) kind {
	switch {
	case r < utf8.RuneSelf:
		if n == 0 && r == utf8.RuneError {
			return blank
		}
		return ascii2kind[r]
	case r == utf8.RuneError:
		return blank
	case r >= 0x4e00 && r < 0xa000, r >= 0x3041 && r < 0x3097, r >= 0x30a1 && r < 0x30fb, r >= 0xac00 && r < 0xd7a4:
		return dense
	case r < 0xe00 && unicode.IsLetter(r):
		return letter
	case unicode.IsLetter(r), unicode.Is(unicode.Nl, r), unicode.Is(unicode.Nd, r):
		if r >= 0xe00 && !unicode.Is(unicode.Nd, r) && (unicode.In(r, denseScripts...) || r == 'ー' || r == 'ｰ') {
			return dense
		}
		return letter
	case unicode.IsMark(r):
		return mark
	case r != '\u200b' && unicode.Is(unicode.Cf, r):
		return joiner
	case unicode.Is(unicode.No, r):
		return number
	case r >= 0x1f1e6 && r <= 0x1f1ff:
		return flag
	case r >= 0x1f3fb && r <= 0x1f3ff:
		return joiner // the colour of a skin
	case r >= 0x1f000 && r < 0x1fb00 || r >= 0x2600 && r < 0x27c0 || r >= 0x2b00 && r < 0x2c00:
		return pictograph
	case unicode.IsSpace(r) || r == '\u200b' || unicode.Is(unicode.Cc, r):
		return blank
	}
	return other
}

// extends tells of letters that belong to the character before them: the vowels and finals of
// Hangul in parts, and the voice marks of narrow Katakana.
func extends(r rune) bool {
	return r >= 0x1160 && r <= 0x11ff || r == 'ﾞ' || r == 'ﾟ'
}
