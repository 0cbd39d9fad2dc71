package threads

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/internal/engine/query"
	"github.com/convostore/convostore/internal/engine/record"
	"github.com/convostore/convostore/internal/engine/scope"
	"github.com/convostore/convostore/message"
)

// threadState is the part of a conversation that appends change.
type threadState struct {
	lastSeq       int64
	lastMessageAt time.Time
	status        conversation.Status // empty leaves the status as it is
	// head is the message that the next one follows, nil for the last one.
	head *int64
	// woken says that a message ends the conversation's snooze. asleep keeps it, for one that is
	// created with its messages and snoozed.
	woken, asleep bool
	// branched says that the conversation has branches, and makesBranch that a message begins one.
	branched, makesBranch bool
	// known says that active and turnAt are those of the messages of the path: whether one of them
	// is activity, and when the latest turn was.
	known, active bool
	turnAt        time.Time
	// unsure says that a message is not the latest or begins a branch, so that status and activity
	// are to be found by what is stored. switched says that the path is another one than before, so
	// that it decides the status with all of its messages.
	unsure, switched bool
	// added is how many messages were added.
	added int64
	// waiting says that suggestions may wait for a decision. asked is when the latest of the
	// messages that were added and supersede suggestions was sent, zero without one.
	waiting bool
	asked   time.Time
}

func newThreadState(c *conversation.Conversation) *threadState {
	return &threadState{
		lastSeq: c.LastSeq, lastMessageAt: c.LastMessageAt, head: c.HeadSeq, branched: c.Branched, known: c.LastSeq == 0,
	}
}

// clear says that no message of the path is left: status and activity begin anew.
func (t *threadState) clear() { t.known, t.active, t.turnAt = true, false, time.Time{} }

// add counts a message in, gives it the next seq and makes it the head. Its ParentSeq becomes nil if
// that is the message before it. now is the time of the append.
func (t *threadState) add(m *message.Message, now time.Time) {
	end := t.lastSeq
	if t.head != nil {
		end = *t.head
	}
	if m.ParentSeq == nil {
		m.ParentSeq = t.head
	}
	t.switched = t.switched || m.ParentSeq != nil && *m.ParentSeq != end
	t.unsure = t.unsure || t.switched || t.head != nil
	if m.ParentSeq != nil && *m.ParentSeq == t.lastSeq {
		m.ParentSeq = nil
	}
	t.makesBranch, t.head = t.makesBranch || m.ParentSeq != nil, nil
	t.branched = t.branched || t.makesBranch
	t.lastSeq++
	m.Seq = t.lastSeq
	if m.Kind.Counts() {
		v := movementOf(m, now)
		t.woken = t.woken || v.woken && !t.asleep
		if v.asked.After(t.asked) {
			t.asked = v.asked
		}
		t.move(v)
	}
	t.added++
}

// move moves status and activity by one message.
func (t *threadState) move(v movement) {
	late := v.at.Before(t.lastMessageAt) && (!t.known || t.active)
	if !late {
		t.lastMessageAt, t.active = v.at, true
	}
	switch {
	case v.status == "":
		t.unsure = t.unsure || late && !t.known
	case !late, t.known && !v.at.Before(t.turnAt):
		t.status, t.turnAt, t.known = v.status, v.at, true
	default:
		t.unsure = t.unsure || !t.known
	}
}

// apply writes the state into a conversation.
func (t *threadState) apply(c *conversation.Conversation) {
	c.LastSeq, c.LastMessageAt, c.HeadSeq, c.Branched = t.lastSeq, t.lastMessageAt, nil, c.Branched || t.branched
	if t.status != "" {
		c.Status = t.status
	}
	if t.woken {
		c.SnoozedUntil = nil
	}
}

// lockThreads locks the live conversations of a batch until the transaction ends, and
// returns their states. Absent conversations are missing from the map.
func lockThreads(sc scope.Scope, db query.Conn, drafts []Draft) (map[uuid.UUID]*threadState, error) {
	q := sc.LockEach("id, deleted_at IS NULL AS live, last_seq, last_message_at, head_seq, branched, "+waiting(sc), conversationIDs(drafts))
	type row struct {
		id   uuid.UUID
		live bool
		threadState
	}
	rows, err := query.All(db, q, func(r *row) []any {
		return []any{&r.id, &r.live, &r.lastSeq, (*record.Instant)(&r.lastMessageAt), &r.head, &r.branched, &r.waiting}
	})
	threads := make(map[uuid.UUID]*threadState, len(rows))
	for _, r := range rows {
		if !r.live {
			continue
		}
		r.known = r.lastSeq == 0
		threads[r.id] = &r.threadState
	}
	return threads, err
}

// conversationIDs returns the id of each conversation of a batch once, sorted.
func conversationIDs(drafts []Draft) []uuid.UUID {
	ids := make([]uuid.UUID, len(drafts))
	for i, d := range drafts {
		ids[i] = d.ConversationID
	}
	slices.SortFunc(ids, scope.CompareIDs)
	return slices.Compact(ids)
}

// updateThreads writes the states that changed, up to 500 in a statement.
func updateThreads(sc scope.Scope, db query.Conn, threads map[uuid.UUID]*threadState) error {
	rows := make([][]any, 0, len(threads))
	for id, t := range threads {
		if t.added > 0 {
			if t.makesBranch {
				sc.Branched.Note(id)
			}
			if t.unsure {
				t.status = "" // settleUnsure finds it
			}
			rows = append(rows, []any{id.String(), t.lastSeq, record.Null(string(t.status)), t.lastMessageAt, t.makesBranch, t.woken})
		}
	}
	slices.SortFunc(rows, func(a, b []any) int { return strings.Compare(a[0].(string), b[0].(string)) })
	for part := range slices.Chunk(rows, 500) {
		source, err := rowSource(sc, []string{"uuid", "bigint", "text", "timestamptz", "boolean", "boolean"}, part)
		if err != nil {
			return err
		}
		q := query.New("WITH v (user_id, id, last_seq, status, at, branched, woken) AS (").Append(source).
			Add(") UPDATE "+sc.Tables.Conversations+" AS c SET last_seq = v.last_seq, status = COALESCE(v.status, c.status), "+
				"last_message_at = v.at, head_seq = NULL, branched = c.branched OR v.branched, "+endSnooze("v.woken")+", updated_at = ? FROM v WHERE c.id = v.id AND c.user_id = ?", sc.Instant(), sc.User)
		n, err := q.Exec(db)
		if err != nil {
			return err
		}
		if n != int64(len(part)) {
			return errors.New("convostore: a locked conversation went away")
		}
	}
	return nil
}
