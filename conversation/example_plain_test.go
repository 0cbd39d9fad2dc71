package conversation_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/convostore/convostore/conversation"
	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/rule"
)

// Messages that a host creates with its own GORM are numbered by the database.
func Example_plainGORM() {
	db, err := gorm.Open(sqlite.New(sqlite.Config{DriverName: "sqlite", DSN: "file:/plain?vfs=memdb&_time_format=sqlite"}),
		&gorm.Config{Logger: logger.Discard})
	if err == nil {
		err = migrate.Up(context.Background(), db, migrate.Options{})
	}
	c := &conversation.Conversation{UserID: uuid.New(), Subject: "Website improvements"}
	if err == nil {
		err = db.Create(c).Error
	}
	stale := *c
	m := &message.Message{UserID: c.UserID, ConversationID: c.ID, Direction: message.DirectionInbound, Content: "Hello!"}
	if err == nil {
		err = db.Create(m).Error
	}
	if err == nil {
		err = db.Take(c).Error
	}
	fmt.Println(err, m.Seq, c.LastSeq, c.Status)
	fmt.Println(errors.Is(db.Save(&stale).Error, rule.ErrConflict))
	// Output:
	// <nil> 1 1 needs_reply
	// true
}
