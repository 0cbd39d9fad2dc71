module github.com/convostore/convostore/examples/importmail

go 1.26.0

require (
	github.com/convostore/convostore v0.0.0
	github.com/emersion/go-mbox v1.0.4
	github.com/emersion/go-message v0.18.2
	github.com/google/uuid v1.6.0
	github.com/schollz/progressbar/v3 v3.19.1
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.50.0
	golang.org/x/term v0.40.0
	golang.org/x/text v0.41.0
)

replace github.com/convostore/convostore => ../..
