package record

import (
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/shopspring/decimal"
	"gorm.io/gorm"

	"github.com/convostore/convostore/internal/check"
)

// Text scans a column that may be NULL, which becomes "". It takes numbers as well, since a lead
// id may be a number in the host's table.
type Text string

// Scan implements sql.Scanner.
func (t *Text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = Text(v)
	case []byte:
		*t = Text(v)
	case int64:
		*t = Text(strconv.FormatInt(v, 10))
	default:
		return fmt.Errorf("convostore: cannot read a text column from %T", src)
	}
	return nil
}

// Number scans a whole number that may be NULL, which becomes 0.
type Number int64

// Scan implements sql.Scanner.
func (n *Number) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*n = 0
	case int64:
		*n = Number(v)
	default:
		return fmt.Errorf("convostore: cannot read a number from %T", src)
	}
	return nil
}

// Money scans an amount that may be NULL, which becomes 0. So does what is no valid amount, such
// as NaN, because a host's own SQL wrote it: an error would end every list that the row is in.
type Money decimal.Decimal

// Scan implements sql.Scanner.
func (m *Money) Scan(src any) error {
	if src == nil {
		*m = Money{}
		return nil
	}
	if err := (*decimal.Decimal)(m).Scan(src); err != nil || check.Amount("", decimal.Decimal(*m)) != nil {
		*m = Money{}
	}
	return nil
}

// Instant scans a time, in UTC. SQLite's drivers return text where the type of the column is not
// known, as in RETURNING.
type Instant time.Time

// timeLayouts are the layouts that SQLite's drivers write. The last one is that of the schema's
// default, which rows have that a host inserted by hand.
var timeLayouts = []string{"2006-01-02 15:04:05.999999999-07:00", time.RFC3339Nano, "2006-01-02 15:04:05.999999999"}

// Scan implements sql.Scanner.
func (i *Instant) Scan(src any) error {
	switch v := src.(type) {
	case time.Time:
		*i = Instant(v.UTC())
		return nil
	case []byte:
		return i.parse(string(v))
	case string:
		return i.parse(v)
	}
	return fmt.Errorf("convostore: cannot read a time from %T", src)
}

func (i *Instant) parse(s string) error {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			*i = Instant(t.UTC())
			return nil
		}
	}
	return fmt.Errorf("convostore: cannot read a time from a text of %d bytes", len(s))
}

// NullInstant scans a time that may be NULL, which becomes nil.
type NullInstant struct{ Dest **time.Time }

// Scan implements sql.Scanner.
func (n NullInstant) Scan(src any) error {
	*n.Dest = nil
	if src == nil {
		return nil
	}
	var i Instant
	if err := i.Scan(src); err != nil {
		return err
	}
	*n.Dest = new(time.Time(i))
	return nil
}

// deletedAt scans the time of a soft delete, which is NULL for a live row.
type deletedAt gorm.DeletedAt

// Scan implements sql.Scanner.
func (d *deletedAt) Scan(src any) error {
	*d = deletedAt{}
	if src == nil {
		return nil
	}
	d.Valid = true
	return (*Instant)(&d.Time).Scan(src)
}

// NullID scans a UUID that may be NULL, which becomes nil.
type NullID struct{ Dest **uuid.UUID }

// Scan implements sql.Scanner.
func (n NullID) Scan(src any) error {
	*n.Dest = nil
	if src == nil {
		return nil
	}
	id := new(uuid.UUID)
	*n.Dest = id
	return id.Scan(src)
}

// Null returns s as an argument, or NULL for the empty text.
func Null(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func nullInt(n *int64) any {
	if n == nil {
		return nil
	}
	return *n
}

func nullZero(n int64) any {
	if n == 0 {
		return nil
	}
	return n
}

// money returns an amount as text, which both databases read without rounding, or NULL for 0.
func money(d decimal.Decimal) any {
	if d.IsZero() {
		return nil
	}
	return d.String()
}

func nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return *t
}

func nullUUID(id *uuid.UUID) any {
	if id == nil {
		return nil
	}
	return *id
}

// NullNumber returns n as an argument, or NULL for 0.
func NullNumber(n int64) any { return nullZero(n) }

// NullSeq returns a seq as an argument, or NULL for none.
func NullSeq(seq *int64) any { return nullInt(seq) }

// NullTime returns a time as an argument, or NULL for none.
func NullTime(t *time.Time) any { return nullTime(t) }

// NullMoney returns an amount as an argument, or NULL for 0.
func NullMoney(d decimal.Decimal) any { return money(d) }
