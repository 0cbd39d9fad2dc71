package check

import (
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

// Amount checks an amount of money: not negative, at most 10 decimals and 18 digits. Ten
// decimals hold a hundred-millionth of a cent, and reports sum them exactly.
func Amount(field string, d decimal.Decimal) error {
	if d.IsNegative() {
		return rule.Invalid(field, "is negative")
	}
	// The check of the exponent comes first: 1e1000000 has one digit, but a million when
	// written out.
	e := int(d.Exponent())
	if e < -10 || e > 18 || d.NumDigits()+max(e, 0) > 18 {
		return rule.Invalid(field, "has more than 10 decimals or 18 digits")
	}
	return nil
}
