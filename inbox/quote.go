package inbox

import (
	"regexp"
	"strings"
)

// introduction is the line that mail programs write above what they quote, in the languages that
// are met most.
var introduction = regexp.MustCompile(`(?i)^\s*(?:(?:on|am|le|el|il|op|em|den|dnia|пн|вт|ср|чт|пт|сб|вс)\b.{4,200}\b(?:wrote|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|pisze|написал[аи]?)\b.*:|-{2,}\s*(?:original message|forwarded message|ursprüngliche nachricht|message d'origine|mensaje original)\s*-{2,}|_{20,})\s*$`)

// header is a line of the head of a mail, as some programs put it above what they quote.
var header = regexp.MustCompile(`(?i)^\s*\*?(?:from|von|de|da|van)\*?:\s.*\S`)

// split divides a mail into what its writer wrote and the quote at its end, which may be empty.
// What was written below or between quotes stays where it is.
func split(text string) (own, quoted string) {
	lines := strings.Split(text, "\n")
	at := quoteStart(lines)
	if at <= 0 || at >= len(lines) || strings.TrimSpace(strings.Join(lines[:at], "")) == "" {
		return text, ""
	}
	return strings.TrimRight(strings.Join(lines[:at], "\n"), " \t\n"), strings.Join(lines[at:], "\n")
}

// quoteStart is the first line of the quote at the end, len(lines) if there is none.
func quoteStart(lines []string) int {
	for i, line := range lines {
		if introduces(line) && onlyQuote(lines[i+1:], strings.ContainsAny(strings.TrimSpace(line)[:1], "-_")) {
			return i
		}
		if header.MatchString(line) && headed(lines[i:]) {
			return i
		}
	}
	at := len(lines)
	for at > 0 && (isQuoted(lines[at-1]) || strings.TrimSpace(lines[at-1]) == "") {
		at--
	}
	for at < len(lines) && !isQuoted(lines[at]) {
		at++
	}
	return at
}

// introduces tells whether a line is an introduction. Most lines are known by their last byte.
func introduces(line string) bool {
	line = strings.TrimSpace(line)
	return line != "" && strings.ContainsAny(line[len(line)-1:], ":-_") && introduction.MatchString(line)
}

func isQuoted(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), ">") }

// onlyQuote tells whether nothing but a quote follows: below a line of dashes everything is one.
func onlyQuote(lines []string, rule bool) bool {
	if rule {
		return true
	}
	for _, line := range lines {
		if !isQuoted(line) && strings.TrimSpace(line) != "" {
			return false
		}
	}
	return true
}

// headed tells whether lines begin with the head of a mail: three of its lines at least.
func headed(lines []string) bool {
	found := 0
	for i, line := range lines {
		name, _, colon := strings.Cut(strings.TrimSpace(line), ":")
		if i == 8 || strings.TrimSpace(line) == "" {
			break
		}
		if colon && len(name) < 20 && !strings.Contains(strings.TrimSpace(name), " ") {
			found++
		}
	}
	return found >= 3
}
