module github.com/convostore/convostore/mailbox

go 1.26.0

toolchain go1.26.11

require (
	github.com/convostore/convostore v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/net v0.62.0
	golang.org/x/text v0.44.0
)

require (
	github.com/google/uuid v1.6.0 // indirect
	github.com/jinzhu/inflection v1.0.0 // indirect
	github.com/jinzhu/now v1.1.5 // indirect
	github.com/pgvector/pgvector-go v0.3.0 // indirect
	github.com/shopspring/decimal v1.6.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	gorm.io/gorm v1.31.2 // indirect
)

replace github.com/convostore/convostore => ../
