package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// selfSigned writes a certificate of this machine and its key, and returns who trusts it.
func selfSigned(t *testing.T) (cert, key string, trusted *x509.CertPool) {
	t.Helper()
	secret, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "inbox"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &secret.PublicKey, secret)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(secret)
	require.NoError(t, err)
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(cert, public, 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	trusted = x509.NewCertPool()
	require.True(t, trusted.AppendCertsFromPEM(public))
	return cert, key, trusted
}

// TestServeTLS: with a certificate serve speaks TLS alone, and its cookie goes over nothing else.
func TestServeTLS(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no process gets an interrupt there")
	}
	db := filepath.Join(t.TempDir(), "chat.db")
	must(t, "import", "-d", db, "--user", "ann", transferred+"claude.json")
	cert, key, trusted := selfSigned(t)
	at, end := begin(t, t.TempDir(), "serve", "-d", db, "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key)
	require.True(t, strings.HasPrefix(at, "https://127.0.0.1:"), at)

	visitor := browser(t)
	_, err := visitor.Get(at) //nolint:noctx,bodyclose // there is no answer
	require.ErrorContains(t, err, "certificate", "nobody vouches for it")
	visitor.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}}
	var cookies []*http.Cookie
	visitor.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		cookies = append(cookies, r.Response.Cookies()...)
		return nil
	}
	page, status := get(t, visitor, at+"&view=all")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, page, "Trip to Porto")
	require.Len(t, cookies, 1)
	require.True(t, cookies[0].Secure, "the cookie is for TLS alone")
	_, status = get(t, visitor, "http"+strings.TrimPrefix(at, "https"))
	require.Equal(t, http.StatusBadRequest, status)
	visitor.CloseIdleConnections()
	end()
}

// TestServeRefusesCertificates: what is no certificate ends the command, which names the file's fault.
func TestServeRefusesCertificates(t *testing.T) {
	t.Parallel()
	db := filepath.Join(t.TempDir(), "chat.db")
	must(t, "import", "-d", db, "--user", "ann", transferred+"claude.json")
	cert, key, _ := selfSigned(t)
	for _, args := range [][]string{{"--tls-cert", cert}, {"--tls-key", key}} {
		_, errs, code := try(t, append([]string{"serve", "-d", db, "--listen", "127.0.0.1:0"}, args...)...)
		require.Equal(t, exitUsage, code)
		require.Contains(t, errs, "--tls-cert and --tls-key are given together")
	}
	_, errs, code := try(t, "serve", "-d", db, "--listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", cert)
	require.Equal(t, exitFailed, code)
	require.Contains(t, errs, "found a certificate rather than a key")
}
