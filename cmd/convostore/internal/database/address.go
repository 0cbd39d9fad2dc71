// Package database opens what --database and DATABASE_URL name: an SQLite file or a PostgreSQL
// database.
package database

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// ErrAddress matches the error of an address that cannot be read. Its text has no password.
var ErrAddress = errors.New("not the address of a database")

// Address is where a database is.
type Address struct {
	text     string
	postgres bool
}

// hidden stands in the place of a password.
const hidden = "xxxxx"

// Parse takes a path, sqlite:path, sqlite://path and file:path for SQLite, and for PostgreSQL
// postgres://user:password@host/name, postgresql://… and host=… name=…. Everything else that has a
// scheme is refused, or it would become the name of a file.
func Parse(text string) (Address, error) {
	if text == "" {
		return Address{}, fmt.Errorf("%w: it is empty", ErrAddress)
	}
	a := Address{text: text}
	scheme, _, hasScheme := strings.Cut(text, "://")
	switch {
	case scheme == "postgres", scheme == "postgresql", strings.Contains(text, "host="):
		a.postgres = true
		return a, nil
	case hasScheme && scheme != "sqlite" && scheme != "sqlite3" && scheme != "file":
		return Address{}, fmt.Errorf("%w: %.20q is neither SQLite nor PostgreSQL", ErrAddress, scheme)
	}
	for _, prefix := range []string{"sqlite3:", "sqlite:", "file:"} {
		if rest, ok := strings.CutPrefix(text, prefix); ok {
			a.text = strings.TrimPrefix(rest, "//")
		}
	}
	if a.text == "" || strings.HasPrefix(a.text, ":memory:") {
		return Address{}, fmt.Errorf("%w: it names no file", ErrAddress)
	}
	return a, nil
}

// Postgres says that it is PostgreSQL, and not SQLite.
func (a Address) Postgres() bool { return a.postgres }

// Path is the file of an SQLite database.
func (a Address) Path() string { return a.text }

var passwordWord = regexp.MustCompile(`(?i)(password\s*=\s*)('(?:[^'\\]|\\.)*'|\S+)`)

// String returns the address without its password.
func (a Address) String() string {
	if !a.postgres {
		return a.text
	}
	if u, err := url.Parse(a.text); err == nil && u.Scheme != "" {
		if _, ok := u.User.Password(); ok {
			u.User = url.UserPassword(u.User.Username(), hidden)
		}
		if q := u.Query(); q.Has("password") {
			q.Set("password", hidden)
			u.RawQuery = q.Encode()
		}
		return u.String()
	}
	if strings.Contains(a.text, "://") {
		return "postgres://" + hidden // it cannot be told which part is the password
	}
	return passwordWord.ReplaceAllString(a.text, "${1}"+hidden)
}

// Hide takes the password out of a text, such as the error of a driver.
func (a Address) Hide(text string) string {
	if a.postgres {
		text = strings.ReplaceAll(text, a.text, a.String())
	}
	for _, p := range a.passwords() {
		text = strings.ReplaceAll(text, p, hidden)
	}
	return text
}

// passwords are the ways in which the password may be written. One of a letter or two is left:
// it would be found in every word.
func (a Address) passwords() (all []string) {
	if !a.postgres {
		return nil
	}
	add := func(s string) {
		if len(s) > 2 {
			all = append(all, s)
		}
	}
	if u, err := url.Parse(a.text); err == nil {
		if p, ok := u.User.Password(); ok {
			add(p)
			add(url.QueryEscape(p))
			add(url.PathEscape(p))
		}
		add(u.Query().Get("password"))
	} else if _, rest, ok := strings.Cut(a.text, "://"); ok {
		user, _, _ := strings.Cut(rest, "@")
		_, p, _ := strings.Cut(user, ":")
		add(p)
	}
	for _, m := range passwordWord.FindAllStringSubmatch(a.text, -1) {
		add(strings.Trim(m[2], "'"))
	}
	return all
}
