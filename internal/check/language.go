package check

import "github.com/convostore/convostore/rule"

// Language checks a language: two or three small letters (ISO 639), or empty for none.
func Language(field, s string) error {
	if s == "" {
		return nil
	}
	small := len(s) == 2 || len(s) == 3
	for i := range len(s) {
		small = small && s[i] >= 'a' && s[i] <= 'z'
	}
	if !small {
		return rule.Invalid(field, "is not a language of two or three small letters, such as en")
	}
	return nil
}
