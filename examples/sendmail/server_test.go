package main

import (
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// taken is a mail that the server has.
type taken struct{ from, to, envelope, raw string }

// smtpServer is a real one, whose answers go by the name of the recipient: gone is refused for
// good, and so is the mail to full; busy is refused for a time, twice; the connection is lost once behind
// the mail to lost. With a password it asks for it.
type smtpServer struct {
	address  string
	trust    *tls.Config
	password string

	mu    sync.Mutex
	mails []taken
	tries map[string]int
}

// startServer serves until the test ends, with STARTTLS.
func startServer(t *testing.T, password string) *smtpServer {
	t.Helper()
	certified := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	t.Cleanup(certified.Close)
	s := &smtpServer{password: password, tries: map[string]int{}}
	s.trust = certified.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	s.trust.ServerName = "127.0.0.1"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.address = listener.Addr().String()
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{smtpServer: s, conn: c, known: password == ""}, nil
	}))
	server.ErrorLog = log.New(io.Discard, "", 0) // connections that the program closes
	server.Domain, server.EnableDSN = "mx.b.example", true
	server.TLSConfig = &tls.Config{Certificates: certified.TLS.Certificates, MinVersion: tls.VersionTLS12}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		if err := <-ended; err != nil {
			assert.ErrorIs(t, err, smtp.ErrServerClosed)
		}
	})
	return s
}

// to returns the mails to a recipient.
func (s *smtpServer) to(name string) (mails []taken) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		if strings.HasPrefix(m.to, name+"@") {
			mails = append(mails, m)
		}
	}
	return mails
}

// try counts how often something was asked.
func (s *smtpServer) try(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[what]++
	return s.tries[what]
}

// session is one connection.
type session struct {
	*smtpServer

	conn  *smtp.Conn
	known bool
	mail  taken
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(mechanism string) (sasl.Server, error) {
	if mechanism != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, _, password string) error {
		if s.known = password == s.password; !s.known {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "who is it"}
		}
		return nil
	}), nil
}

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	s.mail = taken{from: from, envelope: o.EnvelopeID}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	name, _, _ := strings.Cut(to, "@")
	switch n := s.try(name); {
	case name == "gone":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	case name == "busy" && n <= 2:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 2, 1}, Message: "come back later"}
	}
	s.mail.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	name, _, _ := strings.Cut(s.mail.to, "@")
	if name == "full" {
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "the mailbox is full"}
	}
	s.mail.raw = string(raw)
	s.mu.Lock()
	s.mails = append(s.mails, s.mail)
	s.mu.Unlock()
	if name == "lost" && s.try("lost after the mail") == 1 {
		return errors.Join(s.conn.Conn().Close(), errors.New("nobody hears this"))
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// client is how the program reaches the server.
func (s *smtpServer) client(password string) server {
	c := server{address: s.address, tls: "auto", timeout: 5 * time.Second, trust: s.trust}
	if password != "" {
		c.user, c.password = "ann", password
	}
	return c
}
