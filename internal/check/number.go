package check

import (
	"math"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/rule"
)

// NotNegative refuses a number below zero.
func NotNegative(field string, n int64) error {
	if n < 0 {
		return rule.Invalid(field, "is negative")
	}
	return nil
}

// Count refuses a number below zero, and one that does not fit the 32 bits of its column.
func Count(field string, n int64) error {
	if n > math.MaxInt32 {
		return rule.Invalid(field, "is more than %d", math.MaxInt32)
	}
	return NotNegative(field, n)
}

// MaxTokens is the largest number of tokens of a row. The sum of nine thousand million rows still
// fits an int64.
const MaxTokens = 1_000_000_000

// Tokens refuses a number of tokens outside of 0 to MaxTokens.
func Tokens(field string, n int64) error {
	if n < 0 || n > MaxTokens {
		return rule.Invalid(field, "is not between 0 and %d", MaxTokens)
	}
	return nil
}

// Amount checks an amount of money: not negative, at most 10 decimals and 18 digits. Ten
// decimals hold a hundred-millionth of a cent, and reports sum them exactly.
func Amount(field string, d decimal.Decimal) error {
	if d.IsNegative() {
		return rule.Invalid(field, "is negative")
	}
	// The checks before the count of digits keep it from writing out 1e1000000, or a
	// coefficient of megabytes.
	e := int(d.Exponent())
	if e < -10 || e > 18 || d.Coefficient().BitLen() > 64 || d.NumDigits()+max(e, 0) > 18 {
		return rule.Invalid(field, "has more than 10 decimals or 18 digits")
	}
	return nil
}
