package mailbox

import (
	"strconv"
	"strings"
)

// Place is what a folder is for, or the labels that stand for one.
type Place string

// The places. PlaceNone is a folder of the user's own.
const (
	PlaceNone    Place = ""
	PlaceInbox   Place = "inbox"
	PlaceSent    Place = "sent"
	PlaceDrafts  Place = "drafts"
	PlaceSpam    Place = "spam"
	PlaceTrash   Place = "trash"
	PlaceArchive Place = "archive"
)

// Flags are those that mail programs keep with a mail.
type Flags struct {
	Seen, Answered, Flagged, Draft, Deleted, Forwarded bool
}

// names are what programs call their folders, and Gmail its labels, in lower case.
var names = map[string]Place{
	"inbox": PlaceInbox, "posteingang": PlaceInbox, "boîte de réception": PlaceInbox, "recibidos": PlaceInbox, "posta in arrivo": PlaceInbox,
	"sent": PlaceSent, "sent mail": PlaceSent, "sent items": PlaceSent, "sent messages": PlaceSent, "sent-mail": PlaceSent, "outbox": PlaceSent,
	"gesendet": PlaceSent, "gesendete elemente": PlaceSent, "gesendete objekte": PlaceSent, "envoyés": PlaceSent, "messages envoyés": PlaceSent,
	"messages envoyes": PlaceSent, "éléments envoyés": PlaceSent, "enviados": PlaceSent, "posta inviata": PlaceSent, "inviati": PlaceSent, "verzonden": PlaceSent,
	"drafts": PlaceDrafts, "draft": PlaceDrafts, "entwürfe": PlaceDrafts, "entwurf": PlaceDrafts, "brouillons": PlaceDrafts, "brouillon": PlaceDrafts,
	"borradores": PlaceDrafts, "borrador": PlaceDrafts, "bozze": PlaceDrafts, "rascunhos": PlaceDrafts, "concepten": PlaceDrafts,
	"spam": PlaceSpam, "junk": PlaceSpam, "junk e-mail": PlaceSpam, "junk email": PlaceSpam, "bulk mail": PlaceSpam, "junk-e-mail": PlaceSpam,
	"courrier indésirable": PlaceSpam, "correo no deseado": PlaceSpam, "posta indesiderata": PlaceSpam,
	"trash": PlaceTrash, "bin": PlaceTrash, "deleted items": PlaceTrash, "deleted messages": PlaceTrash, "deleted": PlaceTrash, "papierkorb": PlaceTrash,
	"gelöschte elemente": PlaceTrash, "gelöschte objekte": PlaceTrash, "corbeille": PlaceTrash, "éléments supprimés": PlaceTrash, "papelera": PlaceTrash,
	"cestino": PlaceTrash, "lixeira": PlaceTrash, "prullenbak": PlaceTrash,
	"archive": PlaceArchive, "archives": PlaceArchive, "archived": PlaceArchive, "all mail": PlaceArchive, "archiv": PlaceArchive, "archiviert": PlaceArchive,
}

// PlaceOf returns what a folder is for, by the last part of its name: Sent, [Gmail]/Sent Mail,
// INBOX.Drafts.
func PlaceOf(folder string) Place {
	folder = strings.ToLower(strings.TrimSpace(folder))
	if place, ok := names[folder]; ok {
		return place
	}
	if cut := strings.LastIndexAny(folder, "/."); cut >= 0 {
		return names[strings.TrimSpace(folder[cut+1:])]
	}
	return PlaceNone
}

// place reads labels and flags. Of several labels the one that says most about a mail counts:
// what is in the trash is trash, wherever else it was.
func (p *parser) place() {
	p.Place = PlaceOf(p.Folder)
	if p.o.Gmail {
		p.gmail()
	}
	switch {
	case p.Flags.Deleted:
		p.Place = PlaceTrash
	case p.Flags.Draft:
		p.Place = PlaceDrafts
	}
}

// gmailThread is the field that Gmail's export puts before all others.
const gmailThread = "X-Gm-Thrid" //nolint:misspell // that is its name

func (p *parser) gmail() {
	p.Message.GmailThreadID = gmailID(p.text(gmailThread))
	p.Message.GmailMessageID = gmailID(p.text("X-Gm-Msgid"))
	found := map[Place]bool{}
	for label := range strings.SplitSeq(p.text("X-Gmail-Labels"), ",") {
		if label = strings.Trim(strings.TrimSpace(label), `"`); label == "" {
			continue
		}
		p.Labels = append(p.Labels, label)
		switch strings.ToLower(label) {
		case "opened", "geöffnet", "ouvert", "abierto":
			p.Flags.Seen = true
		case "starred", "markiert", "suivi", "suivis", "destacados":
			p.Flags.Flagged = true
		default:
			found[names[strings.ToLower(label)]] = true
		}
	}
	for _, place := range []Place{PlaceTrash, PlaceSpam, PlaceDrafts, PlaceSent, PlaceInbox, PlaceArchive} {
		if found[place] {
			p.Place = place
			return
		}
	}
}

// gmailID returns an id as Gmail's API writes it, in hexadecimal. Its exports have decimal ones.
func gmailID(s string) string {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return ""
	}
	return strconv.FormatUint(n, 16)
}

// statusFlags returns what mail programs write into the header of a mail in a mbox file. It is
// not read of other mails, where it is the sender's word. Drafts are not among them: a sender
// could else make his mail one of the user's own.
func statusFlags(h *header) (f Flags) {
	const longest = 12
	if status := string(h.get("Status")) + string(h.get("X-Status")); len(status) <= longest {
		f.Seen, f.Answered = strings.Contains(status, "R"), strings.Contains(status, "A")
		f.Flagged, f.Deleted = strings.Contains(status, "F"), strings.Contains(status, "D")
	}
	if bits, err := strconv.ParseUint(string(h.get("X-Mozilla-Status")), 16, 16); err == nil {
		f.Seen, f.Answered = f.Seen || bits&1 != 0, f.Answered || bits&2 != 0
		f.Flagged, f.Deleted = f.Flagged || bits&4 != 0, f.Deleted || bits&8 != 0
		f.Forwarded = bits&0x1000 != 0
	}
	return f
}
