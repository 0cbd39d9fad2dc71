package textindex

import (
	"database/sql"
	"time"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/segment"
	"github.com/convostore/convostore/internal/words"
)

// messageTexts are the columns of a text, which textRow scans, of messages m. A store without
// stemmers looks up no conversation for its language.
func (t tables) messageTexts() string {
	language := "CAST(NULL AS text)"
	if t.languages {
		language = "(SELECT l.language FROM " + t.conversations + " l WHERE l.id = m.conversation_id AND l.user_id = m.user_id)"
	}
	return "m.user_id, m.conversation_id, m.id, 1, m.created_at, m.content, CAST(m.attachments AS text), CAST(m.tool_results AS text), CAST(m.metadata AS text), " + language
}

// titleTexts are the same columns of conversations c.
const titleTexts = "c.user_id, c.id, c.id, 0, c.created_at, coalesce(c.title, '') || ' ' || coalesce(c.subject, ''), NULL, NULL, NULL, c.language"

// Indexable is the condition that a message m is found by its words: it is not deleted, and no
// stream that is still written.
const Indexable = "m.deleted_at IS NULL AND m.state <> 'streaming'"

// titled is the condition that a conversation c has a title or a subject.
const titled = "(coalesce(c.title, '') <> '' OR coalesce(c.subject, '') <> '')"

// textRow is a row of messageTexts or titleTexts.
type textRow struct {
	keyRow
	at                                          *time.Time
	content, attachments, toolResults, metadata record.Text
	language                                    record.Text
}

func (r *textRow) dest() []any {
	return append(r.keyRow.dest(), r.scan(record.NullInstant{Dest: &r.at}), &r.content, &r.attachments, &r.toolResults, &r.metadata, &r.language)
}

// document returns the texts of the row as the index has them.
func (r *textRow) document(languages *words.Languages) segment.Document {
	d := segment.Document{Key: r.key(), At: r.at.UnixMicro(), Language: languages.Of(string(r.language))}
	if d.Key.Kind == segment.Title {
		d.Texts = []segment.Text{{Field: segment.TitleField, Value: string(r.content)}}
		return d
	}
	d.Texts = append(d.Texts, segment.Text{Field: segment.Content, Value: string(r.content)})
	d.Texts = append(d.Texts, fieldTexts(segment.Attachments, string(r.attachments), fileNames)...)
	d.Texts = append(d.Texts, fieldTexts(segment.ToolResults, string(r.toolResults), everyString)...)
	d.Texts = append(d.Texts, fieldTexts(segment.Metadata, string(r.metadata), everyString)...)
	return d
}

// readTexts reads the documents of a query of messageTexts or titleTexts.
func (v *View) readTexts(q *query.Query) (docs []segment.Document, err error) {
	err = q.Read(v.db, func() { docs = nil }, func(rows *sql.Rows) error {
		var r textRow
		err := rows.Scan(r.dest()...)
		if err == nil && !r.wrong {
			docs = append(docs, r.document(v.sc.Languages))
		}
		return err
	})
	return docs, err
}

// maxTextBytes is about how many bytes of texts are in memory at once.
const maxTextBytes = 32 << 20

// textsOf reads the texts of noted rows, and calls each for some after the other. A row that is
// gone or wrong, or is not to be found by its words, has none.
func (v *View) textsOf(notes []note, each func([]segment.Document) error) error {
	if len(notes) == 0 {
		return nil
	}
	rows, more, err := query.Within(v.db, v.backend.texts(v.t, notes), (*textRow).dest, (*textRow).size, maxTextBytes)
	if err != nil {
		return err
	}
	if half := len(notes) / 2; more && half > 0 {
		if err := v.textsOf(notes[:half], each); err != nil {
			return err
		}
		return v.textsOf(notes[half:], each)
	}
	docs := make([]segment.Document, 0, len(rows))
	for _, r := range rows {
		if !r.wrong {
			docs = append(docs, r.document(v.sc.Languages))
		}
	}
	return each(docs)
}

func (r *textRow) size() int {
	return len(r.content) + len(r.attachments) + len(r.toolResults) + len(r.metadata)
}
