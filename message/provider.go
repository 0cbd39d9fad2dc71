package message

// Provider is a mail service whose own message ids are kept.
type Provider string

// The providers.
const (
	ProviderGmail    Provider = "gmail"
	ProviderPostmark Provider = "postmark"
)

// Valid tells whether p is one of the constants.
func (p Provider) Valid() bool { return p == ProviderGmail || p == ProviderPostmark }
