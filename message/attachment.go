package message

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/convostore/convostore/internal/check"
	"github.com/convostore/convostore/rule"
)

// Attachment describes a file that came with a message. The host stores the bytes; URL or
// Key says where.
type Attachment struct {
	Filename    string `json:"filename,omitempty"`
	ContentType string `json:"content_type,omitempty"`
	// Size is in bytes.
	Size int64 `json:"size,omitempty"`
	// ContentID is the Content-ID header without its angle brackets. An HTML body refers
	// to an inline image by it.
	ContentID string `json:"content_id,omitempty"`
	Inline    bool   `json:"inline,omitempty"`
	URL       string `json:"url,omitempty"`
	Key       string `json:"key,omitempty"`
	// Checksum is computed by the host, "sha256:…" by convention.
	Checksum string `json:"checksum,omitempty"`
}

// Attachments is the list of attachments of a message, in the order of the message. An
// empty list is NULL in the database.
type Attachments []Attachment

// GormDataType tells GORM that the list is a column and not an association.
func (Attachments) GormDataType() string { return gormJSON }

// Value implements driver.Valuer.
func (a Attachments) Value() (driver.Value, error) {
	if len(a) == 0 {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
	}
	doc, err := json.Marshal(a)
	return string(doc), err
}

// Scan implements sql.Scanner. Of a document of another form, which a host's own SQL wrote, it
// reads what it can, as that of Headers does: no attachments from what is no list, and of each
// element the fields that have the right type.
func (a *Attachments) Scan(src any) error {
	*a = nil
	return onlyTypeErrors(scanJSON(src, a))
}

// onlyTypeErrors drops the error of a document whose values have other types, of which
// json.Unmarshal has decoded the rest.
func onlyTypeErrors(err error) error {
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) {
		return nil
	}
	return err
}

// size returns the bytes of all texts, with the brackets around each attachment.
func (a Attachments) size() (n int) {
	const around = 4
	for i := range a {
		n += check.Sum(a[i].texts()...) + around
	}
	return n
}

func (a *Attachment) texts() []string {
	return []string{a.Filename, a.ContentType, a.ContentID, a.URL, a.Key, a.Checksum}
}

func (a Attachments) validate() error {
	for i, one := range a {
		field := "attachments[" + strconv.Itoa(i) + "]"
		if one.Size < 0 {
			return rule.Invalid(field+".size", "is negative")
		}
		for _, s := range one.texts() {
			if err := check.Text(field, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func scanJSON(src, dest any) error {
	var doc JSON
	if err := doc.Scan(src); err != nil {
		return err
	}
	return doc.Decode(dest)
}
