package streams

import (
	"context"
	"iter"
	"math"

	"github.com/google/uuid"

	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

func (s streams) FollowStream(ctx context.Context, id uuid.UUID, fromByte int64, o store.FollowOptions) iter.Seq2[store.StreamPart, error] {
	return func(yield func(store.StreamPart, error) bool) {
		every := orDefault(o.PollEvery, store.DefaultPollEvery)
		var err error
		switch {
		case fromByte < 0:
			err = rule.Invalid("from_byte", "is negative")
		case every < 0:
			err = rule.Invalid("poll_every", "is negative")
		case s.sc.InTx:
			err = errTransaction()
		}
		for err == nil {
			var part store.StreamPart
			if part, err = s.part(ctx, id, fromByte); err != nil {
				break
			}
			ended := part.State.Ended()
			if (part.Text != "" || ended) && !yield(part, nil) || ended {
				return
			}
			fromByte = part.End
			err = query.Sleep(ctx, every)
		}
		yield(store.StreamPart{}, query.Wrap("follow stream", err))
	}
}

// part reads what is behind a byte. A replica that has not so much yet has nothing there.
func (s streams) part(ctx context.Context, id uuid.UUID, from int64) (part store.StreamPart, err error) {
	db, err := s.sc.Reading(ctx)
	if err != nil {
		return part, err
	}
	type row struct {
		store.StreamPart
		text []byte
	}
	q := query.New("SELECT state, octet_length(content), "+s.sc.Dialect.FromByte("content")+" FROM "+s.sc.Tables.Messages+" m WHERE id = ?", min(from, math.MaxInt32-1)+1, id)
	q = s.sc.InLive(scope.Deleted(s.sc.Owned(q, "m."), store.ExcludeDeleted, "m."), "m.")
	found, err := query.One(db, q, func(r *row) []any { return []any{&r.State, &r.End, &r.text} })
	switch {
	case err != nil:
		return part, err
	case found.End < from && found.State.Ended():
		return part, rule.Invalid("from_byte", "is %d, behind the text, which has %d bytes", from, found.End)
	}
	found.Text, found.End = string(found.text), max(found.End, from)
	return found.StreamPart, nil
}
