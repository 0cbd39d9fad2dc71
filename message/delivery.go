package message

import (
	"database/sql/driver"

	"github.com/convostore/convostore/internal/enum"
	"github.com/convostore/convostore/rule"
)

// Delivery says how far an outbound message has come on its way to the recipient.
type Delivery string

// The deliveries. DeliveryNone is NULL in the database: nobody sends the message, or nobody
// has said so.
const (
	DeliveryNone   Delivery = ""
	DeliveryQueued Delivery = "queued"
	// DeliverySent: the provider took it.
	DeliverySent Delivery = "sent"
	// DeliveryDelivered: the recipient's side took it.
	DeliveryDelivered Delivery = "delivered"
	// DeliveryFailed: the provider refused it.
	DeliveryFailed Delivery = "failed"
	// DeliveryBounced: the recipient's side refused it.
	DeliveryBounced Delivery = "bounced"
	// DeliveryCancelled: it was taken out of the outbox before a worker had it, so that nobody was
	// told. It answers nothing and does not change the conversation's status.
	DeliveryCancelled Delivery = "cancelled"
)

// Deliveries returns every delivery except DeliveryNone, in the order of the constants.
func Deliveries() []Delivery {
	return []Delivery{DeliveryQueued, DeliverySent, DeliveryDelivered, DeliveryFailed, DeliveryBounced, DeliveryCancelled}
}

func (d Delivery) String() string { return string(d) }

// Valid reports whether d is one of the constants, including DeliveryNone.
func (d Delivery) Valid() bool {
	switch d {
	case DeliveryNone, DeliveryQueued, DeliverySent, DeliveryDelivered, DeliveryFailed, DeliveryBounced, DeliveryCancelled:
		return true
	}
	return false
}

// UnmarshalText implements encoding.TextUnmarshaler. It returns a *rule.InvalidError for an
// unknown delivery.
func (d *Delivery) UnmarshalText(text []byte) error {
	return enum.Unmarshal(d, text, Delivery.validate)
}

// Value implements driver.Valuer.
func (d Delivery) Value() (driver.Value, error) {
	if d == DeliveryNone {
		return nil, nil //nolint:nilnil // a nil driver.Value is NULL
	}
	return string(d), nil
}

// Scan implements sql.Scanner.
func (d *Delivery) Scan(src any) error {
	if src == nil {
		*d = DeliveryNone
		return nil
	}
	return enum.Scan(d, src)
}

func (d Delivery) validate() error {
	if !d.Valid() {
		return rule.Invalid("delivery", "is not queued, sent, delivered, failed, bounced, cancelled or empty")
	}
	return nil
}
