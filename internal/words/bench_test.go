package words_test

import (
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"github.com/convostore/convostore/internal/words"
)

// hostileUnits are what a long text is made of to be slow.
var hostileUnits = []string{
	"a", "A", "a_", "a/", "a ", "é", "ÀÉ", "ß", "\u0301", "a\u0301", "a.\u0301", "東", "東 ", "ก้", "ำ", "น้ำ", "\u0e33\u0e4d", "ﷺ", "ﷲ", "㍿", "㈱", "㌖", "ﬃ", "½", "²",
	"🇩🇪", "👍🏽", "👩\u200d", "\u200d", "\xff", "+", "#", "a++", "a#", "ｶﾞ", "ｶ", "0b6dd3a2-90f1-4a5f-9c3e-0d1d6d4c8a55-", "\u1100\u1161\u11a8", "\u1161", "한글", "हि", "привет ", "Привет ", "مُحَ",
	"\U00010041\u0301", "Ａ", "Ⓐ", "ŀ", "ໜ", "\u0344", "𝕬", "𠀀",
}

func BenchmarkTokens(b *testing.B) {
	for _, unit := range hostileUnits {
		b.Run(strings.ReplaceAll(unit[:min(len(unit), 12)], "/", "slash"), func(b *testing.B) {
			text := strings.Repeat(unit, 200_000/len(unit))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for range words.Tokens(text) {
				}
			}
		})
	}
}

// manyUnits are texts of so many different characters that no memory of folds has them all.
func manyUnits() map[string]string {
	var jamo, marks, arabic, ideographs, vowels strings.Builder
	for r := rune(0xac00); r < 0xd7a4; r++ {
		jamo.WriteString(norm.NFD.String(string(r)))
	}
	for i := range rune(40 * 40) {
		marks.WriteRune('क' + i%40)
		marks.WriteRune('\u093e' + i/40%12)
		marks.WriteRune('\u0951' + i%4)
		vowels.WriteRune('ก' + i%40)
		vowels.WriteRune('\u0e34' + i/40%6)
		vowels.WriteRune('\u0e48' + i%4)
	}
	for r := rune(0xfbd3); r < 0xfd3e; r++ {
		arabic.WriteRune(r)
	}
	for r := rune(0x2f800); r < 0x2fa1e; r++ {
		ideographs.WriteRune(r)
	}
	return map[string]string{"jamo": jamo.String(), "marks": marks.String(), "thai": vowels.String(), "arabic": arabic.String(), "ideographs": ideographs.String()}
}

func BenchmarkTokensOfMany(b *testing.B) {
	for name, unit := range manyUnits() {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(unit, max(1, 200_000/len(unit)))
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for range words.Tokens(text) {
				}
			}
		})
	}
}
