package transfer

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/rule"
	"github.com/convostore/convostore/store"
)

// looseState is a state that belongs to no conversation: to a user or to an app.
type looseState struct {
	user *conversation.UserState
	app  *conversation.AppState
}

func readState(l rawLine) (*thread, error) {
	s := &looseState{}
	if l.AppState != nil {
		s.app = new(conversation.AppState)
		return &thread{state: s}, decodeAt("app_state", l.AppState, s.app)
	}
	s.user = new(conversation.UserState)
	err := decodeAt("user_state", l.UserState, s.user)
	return &thread{state: s, owner: s.user.UserID}, err
}

// writeState stores a state whose key is not there. The state of an app, which belongs to all
// users, comes with ImportAll alone.
func writeState(ctx context.Context, tx store.Store, user uuid.UUID, s *looseState) (outcome, error) {
	var rows int64
	var err error
	switch {
	case s.user != nil:
		s.user.UserID = user
		rows, err = insertNew(tx.DB(ctx), "user_state", s.user)
	case user != uuid.Nil:
		err = rule.Invalid("app_state", "belongs to no user: ImportAll stores it")
	default:
		rows, err = insertNew(tx.DB(ctx), "app_state", s.app)
	}
	return outcome{rows: rows}, err
}

// validated is a model that can be stored.
type validated[T any] interface {
	*T
	Validate() error
}

// insertNew inserts a row unless its key is there, and returns how many rows it inserted.
func insertNew[T any, R validated[T]](db *gorm.DB, path string, row R) (int64, error) {
	done := db.Clauses(clause.OnConflict{DoNothing: true}).Omit(clause.Associations).Create(row)
	return done.RowsAffected, within(path, done.Error)
}

// printStates writes the states of users and, of all users, those of apps.
func (x *exporter) printStates(ctx context.Context) error {
	if x.user != uuid.Nil {
		return x.printUser(ctx, x.user)
	}
	for last := uuid.Nil; ; {
		var users []uuid.UUID
		err := x.st.DB(ctx).Model(&conversation.UserState{}).Distinct("user_id").
			Where("user_id > ?", last).Order("user_id").Limit(store.MaxLimit).Pluck("user_id", &users).Error
		if err != nil {
			return err
		}
		if len(users) == 0 {
			return x.printApps(ctx)
		}
		for _, user := range users {
			if err := x.printUser(ctx, user); err != nil {
				return err
			}
		}
		last = users[len(users)-1]
	}
}

func (x *exporter) printUser(ctx context.Context, user uuid.UUID) error {
	apps, err := appsOf(x.st.DB(ctx).Model(&conversation.UserState{}).Where("user_id = ?", user))
	if err != nil {
		return err
	}
	for _, app := range apps {
		err := x.eachState(ctx, store.StatePlace{Kind: store.UserKind, UserID: user, App: app}, func(s *store.State) line {
			return line{UserState: &conversation.UserState{
				UserID: user, App: app, Key: s.Key, Value: s.Value, Version: s.Version, UpdatedAt: message.Instant(s.UpdatedAt),
			}}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (x *exporter) printApps(ctx context.Context) error {
	apps, err := appsOf(x.st.DB(ctx).Model(&conversation.AppState{}))
	if err != nil {
		return err
	}
	for _, app := range apps {
		err := x.eachState(ctx, store.AppState(app), func(s *store.State) line {
			return line{AppState: &conversation.AppState{
				App: app, Key: s.Key, Value: s.Value, Version: s.Version, UpdatedAt: message.Instant(s.UpdatedAt),
			}}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func appsOf(db *gorm.DB) (apps []string, err error) {
	err = db.Distinct("app").Pluck("app", &apps).Error
	slices.Sort(apps)
	return apps, err
}

// eachState prints a line for each state of a place.
func (x *exporter) eachState(ctx context.Context, in store.StatePlace, lineOf func(*store.State) line) error {
	for after := ""; ; {
		page, err := x.sc.States().List(ctx, in, store.StateFilter{After: after, Limit: store.MaxLimit})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, s := range page {
			l := lineOf(s)
			l.Version = lineVersion
			doc, err := encode(l)
			if err != nil {
				return err
			}
			if err := x.print(string(doc) + "\n"); err != nil {
				return err
			}
			x.result.States++
		}
		after = page[len(page)-1].Key
	}
}
