package main

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"slices"

	"google.golang.org/adk/v2/session"
	"google.golang.org/adk/v2/session/database"
	"google.golang.org/genai"
	gormpostgres "gorm.io/driver/postgres"
	gormsqlite "gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
	_ "modernc.org/sqlite" // the driver of all sides
)

const (
	app  = "peers"
	user = "user"
)

func (f file) adk(ctx context.Context, o options, path string) (peer, error) {
	return openADK(ctx, o, gormsqlite.Dialector{DriverName: "sqlite", DSN: f.dsn(path)}, false)
}

func (f file) adkPrepared(ctx context.Context, o options, path string) (peer, error) {
	return openADK(ctx, o, gormsqlite.Dialector{DriverName: "sqlite", DSN: f.dsn(path)}, true)
}

func openADKPostgres(ctx context.Context, o options, dsn string) (peer, error) {
	return openADKSchema(ctx, o, dsn, "adk", false)
}

func openADKPostgresPrepared(ctx context.Context, o options, dsn string) (peer, error) {
	return openADKSchema(ctx, o, dsn, "adk_prepared", true)
}

// openADKSchema makes a schema for the tables: two of them are called like the library's.
func openADKSchema(ctx context.Context, o options, dsn, schema string, prepared bool) (peer, error) {
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		return peer{}, err
	}
	_, err = db.ExecContext(ctx, "CREATE SCHEMA "+schema)
	if err := errors.Join(err, db.Close()); err != nil {
		return peer{}, err
	}
	address, err := url.Parse(dsn)
	if err != nil {
		return peer{}, err
	}
	settings := address.Query()
	settings.Set("search_path", schema)
	address.RawQuery = settings.Encode()
	return openADK(ctx, o, gormpostgres.Open(address.String()), prepared)
}

// openADK has GORM keep statements prepared or leave that to the driver, which is the better
// one for it on SQLite and on PostgreSQL.
func openADK(ctx context.Context, o options, dialector gorm.Dialector, prepared bool) (peer, error) {
	config := &gorm.Config{PrepareStmt: prepared, Logger: logger.Discard}
	db, err := gorm.Open(dialector, config)
	if err != nil {
		return peer{}, err
	}
	pool, err := db.DB()
	if err != nil {
		return peer{}, err
	}
	// The service has no Close: it gets the pool that is closed here.
	switch d := dialector.(type) {
	case gormsqlite.Dialector:
		d.Conn = pool
		dialector = d
	case *gormpostgres.Dialector:
		dialector = gormpostgres.New(gormpostgres.Config{Conn: pool})
	}
	service, err := database.NewSessionService(dialector, config)
	if err == nil {
		err = database.AutoMigrate(service)
	}
	if err != nil {
		return peer{}, errors.Join(err, pool.Close())
	}
	a := adk{service, o}
	held, err := a.fill(ctx, db)
	if err != nil {
		return peer{}, errors.Join(err, pool.Close())
	}
	name := "adk v2.2.0"
	if prepared {
		name += ", PrepareStmt"
	}
	return peer{
		name: name, close: pool.Close,
		appendOne:    func(ctx context.Context, i int) error { return a.append(ctx, held[i%len(held)], nil) },
		appendStates: func(ctx context.Context, i int) error { return a.append(ctx, held[i%len(held)], everywhere(i)) },
		last50:       a.last50,
		list20:       a.list20,
	}, nil
}

// adk is the session service of Google's Agent Development Kit.
type adk struct {
	service session.Service
	o       options
}

// fill returns the sessions to append to: an append wants a session that the caller has.
func (a adk) fill(ctx context.Context, db *gorm.DB) (held []session.Session, err error) {
	for i := range a.o.threads {
		s, err := a.create(ctx, threadID(i))
		if err != nil {
			return nil, err
		}
		for range a.o.messages {
			if err := a.append(ctx, s, nil); err != nil {
				return nil, err
			}
		}
	}
	for range min(100, a.o.sessions-a.o.threads) {
		s, err := a.create(ctx, "")
		if err != nil {
			return nil, err
		}
		held = append(held, s)
	}
	return held, a.copySessions(ctx, db, a.o.sessions-a.o.threads-len(held), threadID(0))
}

// copySessions makes n more like one that there is, which is faster than asking for them.
func (a adk) copySessions(ctx context.Context, db *gorm.DB, n int, of string) error {
	if n == 0 {
		return nil
	}
	return db.WithContext(ctx).Exec(`WITH RECURSIVE r(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM r WHERE k < ?)
		INSERT INTO sessions (app_name, user_id, id, state, create_time, update_time)
		SELECT app_name, user_id, 'copy-' || k, state, create_time, update_time FROM sessions, r WHERE id = ?`, n, of).Error
}

func threadID(i int) string { return "thread-" + string(rune('a'+i)) }

func (a adk) create(ctx context.Context, id string) (session.Session, error) {
	made, err := a.service.Create(ctx, &session.CreateRequest{AppName: app, UserID: user, SessionID: id})
	if err != nil {
		return nil, err
	}
	return made.Session, nil
}

func (a adk) append(ctx context.Context, s session.Session, states map[string]any) error {
	event := session.NewEvent(ctx, "invocation")
	event.Author = user
	event.Content = genai.NewContentFromText(text, genai.RoleUser)
	event.Actions.StateDelta = states
	return a.service.AppendEvent(ctx, s, event)
}

// everywhere changes a key of the session, of the user and of the app.
func everywhere(i int) map[string]any {
	return map[string]any{"step": i, session.KeyPrefixUser + "step": i, session.KeyPrefixApp + "step": i}
}

func (a adk) last50(ctx context.Context, i int) error {
	found, err := a.service.Get(ctx, &session.GetRequest{AppName: app, UserID: user, SessionID: threadID(i % a.o.threads), NumRecentEvents: newest})
	if err != nil {
		return err
	}
	return expect(found.Session.Events().Len(), min(newest, a.o.messages), nil)
}

// list20 gets all sessions, in no order: neither a limit nor an order can be asked for.
func (a adk) list20(ctx context.Context, _ int) error {
	found, err := a.service.List(ctx, &session.ListRequest{AppName: app, UserID: user})
	if err != nil {
		return err
	}
	slices.SortFunc(found.Sessions, func(x, y session.Session) int { return y.LastUpdateTime().Compare(x.LastUpdateTime()) })
	return expect(len(found.Sessions), a.o.sessions, nil)
}
