package migrate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/convostore/convostore/rule"
)

// firstHostNumber is the number of a host's first migration that NewPair makes. The library's
// stay below it, so that both may stand in one directory of another tool.
const firstHostNumber = 1000

const upTemplate = `-- %[1]s
--
-- A statement ends with a semicolon. {{table "messages"}} is the library's table with its
-- schema and prefix. All statements run in one transaction, and no lock is waited for for long.
-- On the line before a statement, -- convostore:WORD lets it lock nobody out of a filled table:
--
--   concurrently                 CREATE INDEX … becomes CREATE INDEX CONCURRENTLY (PostgreSQL)
--   validate                     ALTER TABLE … ADD CONSTRAINT … is added NOT VALID, then validated
--                                (PostgreSQL)
--   batch TABLE (KEY) 1000       UPDATE … WHERE … AND /* batch */ true runs for 1000 rows after
--                                the other; running it twice must change nothing
--
-- Each of those is a part of its own; a killed migration goes on after the last part.

`

const downTemplate = `-- Takes %[1]s back, in one transaction.

`

var pairName = regexp.MustCompile(`^[a-z0-9_]{1,60}$`)

// NewPair writes an empty migration of a Host into a directory, NNNN_name.up.sql and
// NNNN_name.down.sql, with a comment that explains what may stand in it, and returns the two paths.
// NNNN is one more than the greatest number there, and at least 1000. It makes a missing
// directory, and overwrites no file. A name that is not of a-z, 0-9 and _, at most 60, is a
// *rule.InvalidError.
func NewPair(dir, name string) (up, down string, err error) {
	if !pairName.MatchString(name) {
		return "", "", rule.Invalid("name", "is not of a-z, 0-9 and _, 1 to 60 of them")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", "", err
	}
	number, err := nextNumber(dir)
	if err != nil {
		return "", "", err
	}
	base := filepath.Join(dir, fmt.Sprintf("%04d_%s", number, name))
	up, down = base+".up.sql", base+".down.sql"
	if err := writeNew(up, fmt.Sprintf(upTemplate, name)); err != nil {
		return "", "", err
	}
	return up, down, writeNew(down, fmt.Sprintf(downTemplate, name))
}

func nextNumber(dir string) (int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	next := int64(firstHostNumber)
	for _, e := range entries {
		next = max(next, hostNumber(e.Name())+1)
	}
	return next, nil
}

// hostNumber returns the number of a file of a Host, -1 for any other file.
func hostNumber(name string) int64 {
	match := hostFile.FindStringSubmatch(name)
	if match == nil {
		return -1
	}
	number, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		return -1
	}
	return number
}

func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
