package main

import (
	"strconv"
	"strings"
	"time"
)

const oneDay = 24 * time.Hour

// ages are the units that package time has no letters for. A year has 365 days.
var ages = map[string]time.Duration{"d": oneDay, "w": 7 * oneDay, "y": 365 * oneDay}

// age is the value of a flag such as 180d, 12w, 2y or 36h.
type age time.Duration

func (a *age) String() string {
	d := time.Duration(*a)
	switch {
	case d == 0:
		return ""
	case d%oneDay == 0:
		return strconv.FormatInt(int64(d/oneDay), 10) + "d"
	}
	return d.String()
}

func (a *age) Type() string { return "age" }

// maxAge is ten times what anybody keeps; more would wrap around.
const maxAge = 100 * 365

// Set parses it. It is never below 0.
func (a *age) Set(text string) error {
	for unit, one := range ages {
		number, ok := strings.CutSuffix(text, unit)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 || int64(n)*int64(one/oneDay) > maxAge {
			return usagef("%q is no age such as 180d, 12w, 2y or 36h", text)
		}
		*a = age(time.Duration(n) * one)
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return usagef("%q is no age such as 180d, 12w, 2y or 36h", text)
	}
	*a = age(d)
	return nil
}
