package trpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"trpc.group/trpc-go/trpc-agent-go/session"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/clean"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

// TrackPayloadFormat is the payload format of an event of a track.
const TrackPayloadFormat = "trpc.track"

// trackIndex is the key of a session's state with the names of its tracks, which the framework
// reads with session.TracksFromState.
const trackIndex = "tracks"

// TrackExternalKey is the external key of the conversation with the events of a track.
func TrackExternalKey(sessionConversation uuid.UUID, track session.Track) string {
	return "trpc-track:" + sessionConversation.String() + "/" + string(track)
}

// trackPayload is an event of a track as it is stored: with the payload as it is if that is JSON
// without white space around it, and else as bytes.
type trackPayload struct {
	Track     session.Track   `json:"track"`
	Timestamp time.Time       `json:"timestamp"`
	Bytes     []byte          `json:"bytes,omitzero"`
	Payload   json.RawMessage `json:"payload,omitzero"`
}

func encodeTrack(e *session.TrackEvent) ([]byte, error) {
	p := trackPayload{Track: e.Track, Timestamp: e.Timestamp}
	verbatim := json.Valid(e.Payload) && len(bytes.TrimSpace(e.Payload)) == len(e.Payload)
	if !verbatim {
		p.Bytes = e.Payload
	}
	doc, err := json.Marshal(p)
	if err != nil || !verbatim {
		return doc, err
	}
	// Marshal would compact it.
	doc = append(doc[:len(doc)-1], `,"payload":`...)
	return append(append(doc, e.Payload...), '}'), nil
}

func decodeTrack(m *message.Message) (session.TrackEvent, error) {
	var p trackPayload
	if err := json.Unmarshal(m.Payload, &p); err != nil {
		return session.TrackEvent{}, fmt.Errorf("decode event %d of a track: %w", m.Seq, err)
	}
	if p.Payload == nil {
		p.Payload = p.Bytes
	}
	return session.TrackEvent{Track: p.Track, Payload: p.Payload, Timestamp: p.Timestamp}, nil
}

// AppendTrackEvent stores an event of a track, and adds it to sess. It returns store.ErrNotFound if
// there is no such session; sess is as before after an error.
func (s *Service) AppendTrackEvent(ctx context.Context, sess *session.Session, e *session.TrackEvent, opts ...session.Option) error {
	if sess == nil {
		return session.ErrNilSession
	}
	if e == nil {
		return ErrNilEvent
	}
	key := keyOf(sess)
	if err := key.CheckSessionKey(); err != nil {
		return err
	}
	payload, err := encodeTrack(e)
	if err != nil {
		return failed("append track event to", key, err)
	}
	err = s.onSession(ctx, sess, func(_ store.Scope, id uuid.UUID) error {
		return s.st.Transaction(ctx, func(tx store.Store) error {
			return appendTrack(ctx, tx.ForUser(s.o.Tenant(key.AppName, key.UserID)), id, e, payload)
		})
	})
	if err != nil {
		return failed("append track event to", key, err)
	}
	return sess.AppendTrackEvent(e, opts...)
}

// appendTrack runs in a transaction, and holds the session from the first statement on.
func appendTrack(ctx context.Context, sc store.Scope, id uuid.UUID, e *session.TrackEvent, payload []byte) error {
	if err := touch(ctx, sc, id); err != nil {
		return err
	}
	tracks, err := tracksOf(ctx, sc, id)
	if err != nil {
		return err
	}
	if !slices.Contains(tracks, e.Track) {
		doc, err := json.Marshal(append(tracks, e.Track))
		if err != nil {
			return err
		}
		if _, err := sc.States().Merge(ctx, store.ConversationState(id), store.StateMap{trackIndex: doc}, store.MergeOptions{}); err != nil {
			return err
		}
	}
	author := string(e.Track)
	clean.All.Text(&author)
	author = cut(author)
	c := &conversation.Conversation{ExternalKey: TrackExternalKey(id, e.Track)}
	if _, err := sc.Conversations().GetOrCreate(ctx, c); err != nil {
		return err
	}
	_, err = sc.Messages().Append(ctx, c.ID, &message.Message{
		Role: message.RoleSystem, Kind: message.KindEvent, Author: author, SentAt: sentAt(e.Timestamp),
		Payload: payload, PayloadFormat: TrackPayloadFormat,
	})
	return err
}

// tracksOf returns the names of the tracks of a session.
func tracksOf(ctx context.Context, sc store.Scope, id uuid.UUID) ([]session.Track, error) {
	index, err := stateOf(ctx, sc, id, trackIndex)
	if err != nil {
		return nil, err
	}
	return session.TracksFromState(session.StateMap{trackIndex: index})
}

func eraseTracks(ctx context.Context, sc store.Scope, id uuid.UUID, tracks []session.Track) error {
	for _, t := range tracks {
		c, err := sc.Conversations().GetByExternalKey(ctx, TrackExternalKey(id, t))
		if err == nil {
			_, err = sc.Conversations().Erase(ctx, c.ID)
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	return nil
}

// GetTrackEvents returns the events of a track that the options ask for, none if the session or the
// track is not there.
func (s *Service) GetTrackEvents(ctx context.Context, key session.Key, track session.Track, opts ...session.Option) (*session.TrackEvents, error) {
	if err := key.CheckSessionKey(); err != nil {
		return nil, err
	}
	none := &session.TrackEvents{Track: track}
	sc, c, err := s.find(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return nil, failed("get track of", key, err)
	}
	events, ok, err := readTrack(ctx, sc, c.ID, track, optionsOf(opts))
	if err != nil {
		return nil, failed("get track of", key, err)
	}
	if !ok {
		return none, nil
	}
	return events, nil
}

// readTracks reads the tracks that the state of a handle names.
func readTracks(ctx context.Context, sc store.Scope, id uuid.UUID, sess *session.Session, o *session.Options) error {
	tracks, err := session.TracksFromState(sess.State)
	if err != nil {
		return nil //nolint:nilerr // a value of the host's own under that key
	}
	for _, t := range tracks {
		events, ok, err := readTrack(ctx, sc, id, t, o)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if sess.Tracks == nil {
			sess.Tracks = map[session.Track]*session.TrackEvents{}
		}
		sess.Tracks[t] = events
	}
	return nil
}

// readTrack reads the events of a track at or after EventTime, and of those the last EventNum.
func readTrack(ctx context.Context, sc store.Scope, id uuid.UUID, track session.Track, o *session.Options) (*session.TrackEvents, bool, error) {
	c, err := sc.Conversations().GetByExternalKey(ctx, TrackExternalKey(id, track))
	if errors.Is(err, store.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	f := store.MessageFilter{Order: store.ReverseThreadOrder}
	if !o.EventTime.IsZero() {
		f.SentSince = message.Instant(o.EventTime)
	}
	got := &session.TrackEvents{Track: track}
	for m, err := range sc.Messages().All(ctx, c.ID, f) {
		if err != nil {
			return nil, false, err
		}
		e, err := decodeTrack(m)
		if err != nil {
			return nil, false, err
		}
		if e.Timestamp.Before(o.EventTime) {
			continue
		}
		if got.Events = append(got.Events, e); len(got.Events) == o.EventNum {
			break
		}
	}
	slices.Reverse(got.Events)
	return got, true, nil
}
