package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"

	"github.com/convostore/convostore/store"
)

// nothing stands where there is no figure; 0 is a figure.
const nothing = "–"

func number(n int64) string { return thousands(strconv.FormatInt(n, 10)) }

func money(d decimal.Decimal, places int32) string { return thousands(d.StringFixed(places)) }

// thousands puts commas into what strconv wrote.
func thousands(s string) string {
	whole, rest, _ := strings.Cut(s, ".")
	if rest != "" {
		rest = "." + rest
	}
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + rest
}

func percent(share float64, ok bool) string {
	if !ok {
		return nothing
	}
	return fmt.Sprintf("%.0f %%", math.Round(100*share))
}

// duration is as exact as a person wants to know it.
func duration(d time.Duration) string {
	if d = d.Round(time.Second); d < time.Minute {
		return fmt.Sprintf("%d s", d/time.Second)
	}
	if d = d.Round(time.Minute); d < time.Hour {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	if d < 24*time.Hour {
		return fmt.Sprintf("%d h %02d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	hours := int64(d.Round(time.Hour) / time.Hour)
	if hours >= 100*24 {
		return number(hours/24) + " d"
	}
	return fmt.Sprintf("%d d %02d h", hours/24, hours%24)
}

// took is a duration of n things, of which there may be none.
func took(n int64, d time.Duration) string {
	if n == 0 {
		return nothing
	}
	return duration(d)
}

func (f *Figures) waited(since *time.Time) string {
	if since == nil {
		return nothing
	}
	return duration(f.Now.Sub(*since))
}

func (f *Figures) date(t time.Time) string { return t.In(f.Zone).Format(time.DateOnly) }

// name is what a person calls a conversation.
func name(c store.ConversationRef) string {
	s := c.Subject
	if s == "" {
		s = c.Title
	}
	if s = short(s); s == "" {
		s = "(no subject)"
	}
	if lead := leadName(c.LeadRef); lead != "" {
		s += " · " + lead
	}
	return s
}

func leadName(l store.LeadRef) string {
	if l.LeadTitle == "" {
		return short(l.LeadID)
	}
	return short(l.LeadTitle)
}

func modelName(s string) string {
	if s == "" {
		return "(not named)"
	}
	return short(s)
}

// short makes one line of what a stranger wrote, without signs that do something to a
// terminal or turn the direction of a text.
func short(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	letters := []rune(strings.Join(strings.Fields(s), " "))
	if len(letters) <= most {
		return string(letters)
	}
	return string(letters[:most-1]) + "…"
}

func many(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}
