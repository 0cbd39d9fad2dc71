package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	uax29 "github.com/clipperhouse/uax29/v2/words"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/convostore/convostore/internal/words"
)

// TestWordsAgreeWithUnicode: in scripts with spaces, the words of the store are those of
// Unicode's Annex 29 without the signs that it keeps inside words.
func TestWordsAgreeWithUnicode(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			if !strings.ContainsFunc(line, otherwise) {
				require.Equal(t, ofUnicode(line), ofStore(line), "%s: %q", file, line)
			}
		}
	}
	letters := rapid.SampledFrom([]rune("abcXYZ012éßİıſ \u0301\u0308'’.,:;-_@/+&()\t\n«»жёйЁαάςΩ" + "שָׁלוֹםمُحَمَّدहिन्दीবাংলাதமிழ்ქართულიհայերենអ" + "½™€°"))
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Map(func(r rune) rune {
			if otherwise(r) {
				return ' '
			}
			return r
		}, rapid.StringOfN(letters, 0, 40, -1).Draw(t, "text"))
		assert.Equal(t, ofUnicode(text), ofStore(text), "%+q", text)
	})
}

// otherwise tells of what the store cuts in another way on purpose.
func otherwise(r rune) bool {
	return r == '#' || r == '+' || unicode.IsNumber(r) && !unicode.IsDigit(r) || unicode.IsSymbol(r) && r > 0x7f ||
		unicode.In(r, unicode.Cf, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Khmer)
}

func isOfWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }

func ofUnicode(text string) (all []string) {
	for tokens := uax29.FromString(text); tokens.Next(); {
		for _, word := range strings.FieldsFunc(tokens.Value(), func(r rune) bool { return !isOfWord(r) }) {
			if strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsMark(r) }) {
				all = append(all, strings.TrimLeftFunc(word, unicode.IsMark))
			}
		}
	}
	return all
}

// ofStore joins what is cut for its length alone.
func ofStore(text string) (all []string) {
	end := -1
	for k := range words.Tokens(text) {
		if k.Start == end {
			all[len(all)-1] += text[k.Start:k.End]
		} else {
			all = append(all, text[k.Start:k.End])
		}
		end = k.End
	}
	return slices.Clip(all)
}
