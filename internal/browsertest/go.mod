module github.com/convostore/convostore/internal/browsertest

go 1.26.0

toolchain go1.26.11

replace github.com/convostore/convostore => ../..

require (
	github.com/chromedp/cdproto v0.160.0
	github.com/chromedp/chromedp v0.23.0
	github.com/convostore/convostore v0.0.0
)

require github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
