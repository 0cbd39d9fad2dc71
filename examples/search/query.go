package main

import (
	"strconv"
	"strings"
)

// kind is the kind of search that a line asks for.
type kind int

const (
	nothing kind = iota
	words
	threadWords
	part
	similar
	similarThreads
	hybrid
	like
	more
	help
	quit
)

const helpText = `  paid invoice      mails with both words, best first; also "a phrase", a OR b, inv*, -not
  : paid invoice    threads with both words in a mail or in the subject
  = nvoic           mails with these letters as they stand, newest first
  ~ text            mails like the text          ~~ text   threads like it
  + text            by words and by likeness: the place in either list, fused
  like 3            mails like the third hit     more      the next page of a text search
  help              this                         quit      the end
Quotes make words of signs and commands: "more".
`

// query is a parsed line.
type query struct {
	kind kind
	text string
	// hit is the number behind like.
	hit int
}

// signs are the prefixes of a text. A longer one comes before a shorter one.
var signs = []struct {
	sign string
	kind kind
}{{"~~", similarThreads}, {"~", similar}, {"+", hybrid}, {"=", part}, {":", threadWords}}

var commands = map[string]kind{"": nothing, "more": more, "help": help, "?": help, "quit": quit, "exit": quit}

func parse(line string) query {
	line = strings.TrimSpace(line)
	if k, ok := commands[line]; ok {
		return query{kind: k}
	}
	if name, number, ok := strings.Cut(line, " "); ok && name == "like" {
		if n, err := strconv.Atoi(strings.TrimSpace(number)); err == nil {
			return query{kind: like, hit: n}
		}
	}
	for _, s := range signs {
		if text, ok := strings.CutPrefix(line, s.sign); ok {
			return query{kind: s.kind, text: strings.TrimSpace(text)}
		}
	}
	return query{kind: words, text: line}
}
