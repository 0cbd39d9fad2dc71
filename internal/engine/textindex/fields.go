package textindex

import (
	"encoding/json"
	"strings"

	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/message"
)

// fieldTexts returns the texts of a JSON column as values of a field.
func fieldTexts(f segment.Field, doc string, read func(doc string) []string) (texts []segment.Text) {
	if doc == "" {
		return nil
	}
	for _, value := range read(doc) {
		texts = append(texts, segment.Text{Field: f, Value: value})
	}
	return texts
}

// fileNames returns the names of attachments.
func fileNames(doc string) (names []string) {
	var attachments message.Attachments
	if attachments.Scan(doc) != nil {
		return nil
	}
	for _, a := range attachments {
		if a.Filename != "" {
			names = append(names, a.Filename)
		}
	}
	return names
}

// everyString returns the texts among the values of a JSON document, without its keys, in the
// order of the document. What is no JSON, which only a host's own SQL can have written, has
// the texts before the first fault.
func everyString(doc string) (values []string) {
	d := json.NewDecoder(strings.NewReader(doc))
	d.UseNumber()      // a number that no float64 has is no fault
	var objects []bool // for each open bracket, whether it is that of an object
	isKey := false
	for {
		token, err := d.Token()
		if err != nil {
			return values
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				objects = append(objects, v == '{')
				isKey = v == '{'
				continue
			}
			objects = objects[:len(objects)-1]
		case string:
			if isKey {
				isKey = false
				continue
			}
			if v != "" {
				values = append(values, v)
			}
		}
		isKey = len(objects) > 0 && objects[len(objects)-1]
	}
}
