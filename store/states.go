package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/convostore/convostore/conversation"
)

// States are the keys and values that agents keep beside the messages: in one conversation, for
// one user over all conversations with an app, or for an app over all its users. A value is
// bytes, which come back as they were given. A key replaces a key; nothing merges what is inside
// of values.
//
// To write states together with messages, see AppendOptions.States: that costs no statement of
// its own.
type States interface {
	StateReader
	StateWriter
}

// StateReader reads states. Those of a deleted conversation are not found.
type StateReader interface {
	// Get returns the state with a key, or ErrNotFound if the place has no such key or if there
	// is no such conversation.
	Get(ctx context.Context, in StatePlace, key string) (*State, error)

	// List returns the states of a place that the filter takes, sorted by the bytes of their
	// keys. It returns ErrNotFound if the place is a conversation that is not there; a user or an
	// app without states has an empty list.
	List(ctx context.Context, in StatePlace, f StateFilter) ([]*State, error)

	// OfConversation returns all that an agent keeps for a conversation, in one statement: its own
	// states, those of its user and those of all users, both with the conversation's App. It
	// returns ErrNotFound if there is no such conversation.
	OfConversation(ctx context.Context, conversationID uuid.UUID) (ConversationStates, error)

	// OfConversations is OfConversation for a page of a list, in one statement for all. The result
	// has their order. Of a conversation only ID and UserID count; of one that is not there, or
	// belongs to another user than the scope's, it has the zero value. All values are in memory at
	// once. More than MaxLimit conversations, and a nil among them, are ErrInvalid.
	OfConversations(ctx context.Context, page []*conversation.Conversation) ([]ConversationStates, error)
}

// StateWriter changes states.
type StateWriter interface {
	// Merge writes the changes into a place, all or nothing, and leaves the keys alone that they
	// do not name. It returns the versions of the keys that were written; a removed key has none.
	// Concurrent calls all take effect, key by key, and the last one wins. Keys that are removed
	// need not be there. Without changes it writes nothing.
	//
	// It returns ErrNotFound if the place is a conversation that is not there, and a
	// *VersionConflictError if a key has not the version of MergeOptions.Expected. A key without
	// a name, a key of more than 1,024 bytes, more than MaxStateKeys keys, and more bytes than
	// convostore.WithMaxMessageBytes allows for a message, over all keys and values of the call,
	// are ErrInvalid.
	Merge(ctx context.Context, in StatePlace, changes StateMap, o MergeOptions) (versions map[string]int64, err error)
}

// MaxStateKeys is how many keys one call may name, over all places.
const MaxStateKeys = 1000

// StateMap maps keys to values. Where it is what to change, nil removes a key, and a value that is
// empty but not nil, conversation.Value{}, is kept as the empty value.
type StateMap map[string]conversation.Value

// StatePlace says where states are kept. ConversationState, UserState and AppState make one; the
// zero value is ErrInvalid, and so is a field that the kind does not use.
type StatePlace struct {
	Kind StateKind
	// ConversationID names the conversation of a ConversationKind.
	ConversationID uuid.UUID
	// UserID names the user of a UserKind. The scope of one user fills it in; that of all users
	// needs it.
	UserID uuid.UUID
	// App is the host's name of the app, as in Conversation.App; empty if there is only one.
	App string
}

// StateKind is a kind of place. An unknown one is ErrInvalid.
type StateKind int

// The kinds.
const (
	// ConversationKind is one conversation. Its states go with it.
	ConversationKind StateKind = iota + 1
	// UserKind is one user of an app, over all conversations. The states go with Maintenance's
	// EraseUser.
	UserKind
	// AppKind is an app, over all its users. Every scope reads and writes it, also that of one
	// user: what a user must not see or change of another has no place here. It belongs to nobody,
	// and no erasure removes it. With replicas, what one user writes another one reads once the
	// replica has it.
	AppKind
)

// ConversationState is the place of the states of a conversation.
func ConversationState(id uuid.UUID) StatePlace {
	return StatePlace{Kind: ConversationKind, ConversationID: id}
}

// UserState is the place of the states of the scope's user with an app.
func UserState(app string) StatePlace { return StatePlace{Kind: UserKind, App: app} }

// AppState is the place of the states that all users of an app share.
func AppState(app string) StatePlace { return StatePlace{Kind: AppKind, App: app} }

// State is a key with its value.
type State struct {
	Key   string             `json:"key"`
	Value conversation.Value `json:"value"`
	// Version counts the writes of the key, from 1. A key that was removed and is written again
	// begins at 1.
	Version   int64     `json:"version"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ConversationStates are the states that concern a conversation, each list sorted by the bytes of
// its keys.
type ConversationStates struct {
	Conversation []*State `json:"conversation"`
	User         []*State `json:"user"`
	App          []*State `json:"app"`
}

// StateFilter selects states of a place. A state must meet every field that is set. The zero value
// takes the first DefaultLimit.
type StateFilter struct {
	// Keys takes these keys alone, at most MaxStateKeys; an empty list takes all.
	Keys []string
	// Prefix takes the keys that begin with it.
	Prefix string
	// After takes the keys after it, in the order of bytes: the last key of the list before.
	After string
	// Limit is the largest number of states: DefaultLimit if 0. Below 0 or above MaxLimit is
	// ErrInvalid. The list has fewer where their values take MaxPageBytes, but at least one if
	// there is one. A list is at its end when it is empty.
	Limit int
}

// MergeOptions are the options of Merge. The zero value merges whatever others do.
type MergeOptions struct {
	// Expected makes the merge depend on the versions of keys, which the changes must name: if one
	// has another version, nothing is written. 0 is the version of a key that is not there.
	Expected map[string]int64
}

// AppendStates are changes of states that are written with the messages of an append, or not at
// all.
type AppendStates struct {
	// Conversation changes the states of the conversation, User those of its user with the
	// conversation's App, and App those of all users with that app.
	Conversation, User, App StateMap
}

// VersionConflictError says that a key has another version than MergeOptions.Expected gives. It
// matches ErrConflict.
type VersionConflictError struct {
	Key string
	// Expected is the version that the caller gave, Actual the one that the key has, 0 if it is
	// not there.
	Expected, Actual int64
}

func (e *VersionConflictError) Error() string {
	return fmt.Sprintf("convostore: state %q is at version %d, expected %d", e.Key, e.Actual, e.Expected)
}

// Is makes every VersionConflictError match ErrConflict.
func (e *VersionConflictError) Is(target error) bool { return target == ErrConflict }
