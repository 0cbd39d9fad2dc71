package message

// Provider is a mail service whose message ids a Message keeps.
type Provider string

// The providers.
const (
	ProviderGmail    Provider = "gmail"
	ProviderPostmark Provider = "postmark"
)

// Valid reports whether p is one of the constants.
func (p Provider) Valid() bool { return p == ProviderGmail || p == ProviderPostmark }
