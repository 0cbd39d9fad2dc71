package madeup

import (
	"strings"

	"github.com/convostore/convostore/message"
)

// person is a lead; answers is how likely it answers an offer.
type person struct {
	name, category string
	answers        float64
}

var people = []person{
	{"Bergmann Bicycles", "Retail", 0.3},
	{"Clinic am Park", "Health", 0.6},
	{"Northwind Software", "Software", 0.7},
	{"Hotel Seeblick", "Hospitality", 0.2},
	{"Lindgren School", "Education", 0.45},
	{"Flores & Hijas", "Retail", 0.3},
	{"Kovács Kft.", "", 0.4},
	{"Dr. Okafor", "Health", 0.6},
	{"Tanaka Robotics", "Software", 0.7},
	{"Café Mirabelle", "Hospitality", 0.2},
	{"Institute of Baking", "Education", 0.45},
	{"Hansen Garden Centre", "Retail", 0.3},
	{"Bay Area Physio", "Health", 0.6},
	{"O'Neill Analytics", "Software", 0.7},
	{"The Anchor Inn", "Hospitality", 0.2},
	{"Volkshochschule Ulm", "Education", 0.45},
	{"Petit Papier", "Retail", 0.3},
	{"Nordlicht Apotheke", "Health", 0.6},
}

// ours is the address of the made-up firm.
const ours = "support@mill-and-harbour.example"

// address is the lead's: its letters and an example of a domain.
func address(lead int) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(people[lead].name))
	return "office@" + strings.Trim(strings.ReplaceAll(name, "--", "-"), "-") + ".example"
}

// topic is what a thread is about. Its subject has a number in it.
type topic struct {
	subject, question, draft, edited string
	files                            message.Attachments
}

var topics = []topic{
	{
		"Invoice %d has our old address", "Can you send it again with the new one? It is attached.",
		"I have sent invoice again, with your new address.", "Hello, the corrected invoice is on its way to you.",
		message.Attachments{{Filename: "invoice.pdf", ContentType: "application/pdf", Size: 84_211}},
	},
	{
		"Order %d arrived broken", "Two of the boxes are open. See the photographs.",
		"I am sorry. We send a replacement today.", "I am sorry to hear that. A replacement leaves today; keep the old one.",
		message.Attachments{
			{Filename: "box-1.jpg", ContentType: "image/jpeg", Size: 1_204_331},
			{Filename: "box-2.jpg", ContentType: "image/jpeg", Size: 998_120},
		},
	},
	{
		"Cannot log in since update %d", "It says that my password is wrong, and it is not.",
		"Please use the link to set a new password.", "We have set your account back. Please use the link to set a new password.",
		message.Attachments{{Filename: "screenshot.png", ContentType: "image/png", Size: 310_405}},
	},
	{
		"Quotation for %d licences", "What would they cost for three years?",
		"For three years there is a discount of a fifth.", "For three years we take a fifth off. The quotation is valid until June.",
		nil,
	},
	{
		"When does order %d arrive?", "We need it for the fair.",
		"It arrives on Tuesday.", "It arrives on Tuesday before noon.",
		nil,
	},
	{
		"Contract %d: cancel or renew?", "We would stay if the price did.",
		"We keep the price for another year.", "We are glad to keep the price for another year.",
		message.Attachments{{Filename: "contract.pdf", ContentType: "application/pdf", Size: 221_009}},
	},
	{
		"Export stops at row %d", "The file ends in the middle of a line.",
		"This is mended in the version of today.", "This is mended since this morning. Please try it again and tell us.",
		message.Attachments{{Filename: "export.csv", ContentType: "text/csv", Size: 45_120}},
	},
}

// offered is what a lead says to one.
var offered = topic{
	question: "Yes, why not. What does it cost?",
	draft:    "Ten a month for each person.", edited: "Ten a month for each person. Shall we talk on Thursday?",
}

// models differ in the price of a million tokens and in what they think of themselves.
var models = []struct {
	name       string
	price      int64
	confidence float64
}{
	{"drafter-small", 6, 0.74},
	{"drafter-large", 45, 0.84},
}
