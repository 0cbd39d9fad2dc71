package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/convostore/convostore/store"
)

// server is where mail is handed over.
type server struct {
	address        string
	tls            string
	user, password string
	// timeout is for each command.
	timeout time.Duration
	// trust is what a certificate is checked against, the system's if nil.
	trust *tls.Config
}

// sender hands messages to a server.
type sender struct {
	st     store.Store
	server server
	from   string
}

// send is a store.SendFunc. A recipient or a mail that the server refuses with a code of 5 has failed
// for good; everything else is tried again: a code of 4, a login that is refused, and a connection
// that is refused or lost, also one that is lost after the mail, when nobody knows whether the server
// has it.
func (s *sender) send(ctx context.Context, c *store.Claimed) (r store.DeliveryResult, err error) {
	out, err := s.compose(ctx, c.Message)
	if err != nil {
		return r, err
	}
	client, err := s.server.connect(ctx)
	if err != nil {
		return r, err // the server's or the network's, and not the message's
	}
	defer func() { _ = client.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	if err := handOver(client, out, c.Key); err != nil {
		return r, err
	}
	return store.DeliveryResult{EmailMessageID: out.id, SentAt: time.Now()}, nil
}

// refusal makes a failure for good of what the server refused with a code of 5, unless that is about
// how it was asked: 50x are commands that it does not know, and 53x are about the login.
func refusal(err error) error {
	if said, ok := errors.AsType[*smtp.SMTPError](err); ok && said.Code >= 540 {
		code := said.EnhancedCode
		return &store.PermanentError{Err: fmt.Errorf("%d %d.%d.%d %s", said.Code, code[0], code[1], code[2], said.Message)}
	}
	return err
}

// handOver says what to report and to whom, and gives the mail. The key names it in reports.
func handOver(client *smtp.Client, out *outgoing, key string) error {
	mail, rcpt := &smtp.MailOptions{}, &smtp.RcptOptions{}
	if ok, _ := client.Extension("DSN"); ok {
		mail.Return, mail.EnvelopeID = smtp.DSNReturnHeaders, key
		rcpt.Notify = []smtp.DSNNotify{smtp.DSNNotifyFailure, smtp.DSNNotifyDelayed}
	}
	if err := client.Mail(out.from, mail); err != nil {
		return err // whom it is from is the program's setting
	}
	if err := client.Rcpt(out.to, rcpt); err != nil {
		return refusal(err)
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := bytes.NewReader(out.raw).WriteTo(w); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return refusal(err)
	}
	_ = client.Quit() // it has the mail
	return nil
}

// connect returns a client that has said hello and logged in.
func (s *server) connect(ctx context.Context) (*smtp.Client, error) {
	host, _, err := net.SplitHostPort(s.address)
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if s.trust != nil {
		trust = s.trust
	}
	client, err := s.open(ctx, trust)
	if err != nil {
		return nil, err
	}
	client.CommandTimeout, client.SubmissionTimeout = s.timeout, s.timeout
	if s.user == "" {
		return client, nil
	}
	if _, ok := client.TLSConnectionState(); !ok {
		_ = client.Close()
		return nil, errors.New("the server has no TLS: the password stays here")
	}
	if err := client.Auth(sasl.NewPlainClient("", s.user, s.password)); err != nil {
		_ = client.Close()
		return nil, err
	}
	return client, nil
}

func (s *server) open(ctx context.Context, trust *tls.Config) (*smtp.Client, error) {
	dial := func() (net.Conn, error) {
		return (&net.Dialer{Timeout: s.timeout}).DialContext(ctx, "tcp", s.address)
	}
	conn, err := dial()
	if err != nil {
		return nil, err
	}
	if s.tls == "implicit" {
		return smtp.NewClient(tls.Client(conn, trust)), nil
	}
	client := smtp.NewClient(conn)
	if s.tls == "none" {
		return client, nil
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return client, nil
	}
	// The library upgrades a connection of its own alone.
	_ = client.Close()
	if conn, err = dial(); err != nil {
		return nil, err
	}
	return smtp.NewClientStartTLS(conn, trust)
}
