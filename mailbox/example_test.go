package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/convostore/convostore"
	"github.com/convostore/convostore/mailbox"
	"github.com/convostore/convostore/migrate"
	"github.com/convostore/convostore/store"
	"github.com/convostore/convostore/store/sqlite"
)

// A webhook receives raw mails and files each in the conversation that it answers, or in a new
// one. A mail that is delivered twice is stored once.
func Example() {
	ctx := context.Background()
	st, err := sqlite.OpenMemory(ctx, convostore.WithMigrate(migrate.Options{}))
	if err != nil {
		panic(err)
	}
	defer func() { _ = st.Close() }()
	mine := st.ForUser(uuid.New())

	receive := func(ctx context.Context, body io.Reader) (bool, error) {
		m, err := mailbox.Read(body, mailbox.Options{Own: []string{"me@acme.example"}})
		if err != nil {
			return false, err
		}
		if m.Place == mailbox.PlaceSpam {
			return false, nil
		}
		// m.Files has the bytes of the attachments: upload them, and set Key or URL in
		// m.Message.Attachments.
		filed, err := mine.Messages().File(ctx, m.Message, store.FileOptions{})
		return filed.Created, err
	}
	webhook := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isNew, err := receive(r.Context(), r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, "new: ", isNew)
	})

	const question = "From: Ann <ann@example.com>\r\nTo: me@acme.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
		"Message-ID: <1@example.com>\r\nDate: Thu, 26 Nov 2026 08:00:00 PDT\r\nContent-Type: text/html\r\n\r\n<p>What does it cost?</p>"
	const away = "From: Ann <ann@example.com>\r\nTo: me@acme.example\r\nSubject: Away\r\nMessage-ID: <2@example.com>\r\n" +
		"In-Reply-To: 1@example.com\r\nAuto-Submitted: auto-replied\r\n\r\nI am on holiday."
	for _, raw := range []string{question, question, away} {
		w := httptest.NewRecorder()
		webhook(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/mail", strings.NewReader(raw)))
		fmt.Println(w.Body)
	}
	for c, err := range mine.Conversations().All(ctx, store.ConversationFilter{}) {
		if err != nil {
			panic(err)
		}
		thread, err := mine.Conversations().Thread(ctx, c.ID)
		if err != nil {
			panic(err)
		}
		fmt.Println(thread.Subject)
		for _, m := range thread.Messages {
			fmt.Println(m.Direction, m.Kind, m.SenderEmail, m.Content)
		}
	}
	// Output:
	// new: true
	// new: false
	// new: true
	// Grüße
	// inbound message ann@example.com What does it cost?
	// inbound auto_reply ann@example.com I am on holiday.
}

// An importer reads everything under a path, and leaves out what nobody sent or wanted.
func ExampleFiles() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	mbox := "From - Thu Nov 26 08:00:00 2026\nFrom: ann@example.com\nSubject: one\n\nHello\n>From here on\n\n"
	if err := os.WriteFile(filepath.Join(dir, "Archive.mbox"), []byte(mbox), 0o600); err != nil {
		panic(err)
	}
	for item, err := range mailbox.Files(context.Background(), dir) {
		var file *mailbox.FileError
		if errors.As(err, &file) {
			fmt.Println("left out:", file.Path, file.Err)
			continue
		} else if err != nil {
			panic(err)
		}
		m, err := item.Parse(mailbox.Options{})
		if err != nil || !m.LooksLikeMail() || m.Place == mailbox.PlaceSpam {
			continue
		}
		fmt.Printf("%s in %s: %s", m.Subject, m.Place, bytes.TrimSpace([]byte(m.Message.Content)))
	}
	// Output:
	// one in archive: Hello
	// From here on
}

// A server reports what became of a mail: a failure, which a host notes with Deliveries().Bounce.
func ExampleReadReport() {
	const report = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.com\nSubject: Undelivered\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=x\n\n--x\n\nSorry.\n" +
		"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.com\n\n" +
		"Final-Recipient: rfc822; ann@example.com\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no such user\n\n" +
		"Final-Recipient: rfc822; bob@example.com\nAction: delayed\nStatus: 4.2.2\n" +
		"--x\nContent-Type: text/rfc822-headers\n\nMessage-ID: <1@acme.example>\nSubject: Offer\n--x--\n"
	r, err := mailbox.ReadReport(strings.NewReader(report), mailbox.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.OriginalID, r.Failed(), r.Reason())
	for _, one := range r.Recipients {
		fmt.Println(one.Address, one.Action, one.Status, one.Failed())
	}
	// Output:
	// <1@acme.example> true ann@example.com 5.1.1 550 no such user
	// ann@example.com failed 5.1.1 true
	// bob@example.com delayed 4.2.2 false
}
