package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Server serves until its context ends.
type Server struct {
	Handler http.Handler
	// OnShutdown is called when it begins to end: it ends what would go on for ever.
	OnShutdown func()
	// Cert and Key are the files of TLS, empty without.
	Cert, Key string
}

// grace is how long an answer may still take in the end.
const grace = 3 * time.Second

// Serve serves a listener, which it closes, until ctx ends. That is no error.
func (s Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: s.Handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	if s.OnShutdown != nil {
		server.RegisterOnShutdown(s.OnShutdown)
	}
	ended := make(chan error, 1)
	go func() {
		if s.Cert != "" {
			ended <- server.ServeTLS(l, s.Cert, s.Key)
			return
		}
		ended <- server.Serve(l)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		_ = server.Close() // what is still open then is cut off
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Loopback says that only this machine can reach an address such as 127.0.0.1:8080. A name is
// loopback if it is localhost.
func Loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
