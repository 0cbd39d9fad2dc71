package madeup

import (
	"time"

	"github.com/convostore/convostore/message"
	"github.com/convostore/convostore/store"
)

const (
	in  = message.DirectionInbound
	out = message.DirectionOutbound
)

// refund has all that a draft may say of itself, files, and a quote.
func (s *scene) refund() {
	const lead = 0
	c := s.thread(lead, "Refund for the two wheels of order 4471", 27*time.Hour)
	s.mail(c, lead, in, 27*time.Hour, "Hello,\n\ntwo of the eight wheels came bent; the photographs are attached. We would rather have the money back than new ones, because the season is over here.\n\nKind regards\nMarta Bergmann\nBergmann Bicycles",
		files(message.Attachment{Filename: "wheel-1.jpg", ContentType: "image/jpeg", Size: 1_841_220}, message.Attachment{Filename: "wheel-2.jpg", ContentType: "image/jpeg", Size: 1_702_114}))
	s.mail(c, lead, out, 25*time.Hour, "Dear Ms Bergmann,\n\nI am sorry about the wheels. May I ask for the number on the box? It tells us which courier it was.")
	s.note(c, "ben", 24*time.Hour, "The courier has admitted it. We get the money back from them, so a refund is fine.")
	last := s.mail(c, lead, in, 40*time.Minute, "It is PX-88213-B.\n\nCould you also tell us when the money arrives? Our books close on Friday.\n\n> Dear Ms Bergmann,\n>\n> I am sorry about the wheels. May I ask for the number on the\n> box? It tells us which courier it was.\n",
		files(message.Attachment{Filename: "delivery-note.pdf", ContentType: "application/pdf", Size: 88_410}))
	s.draft(c, last, 40*time.Second, "Dear Ms Bergmann,\n\nthank you, that is all we need. The 184.00 € for the two wheels leave our account today and reach yours within two working days, so before Friday.\n\nYou need not send the wheels back.\n\nKind regards\nMill & Harbour", thought{
		0.93,
		map[string]any{"mood": "calm", "score": 0.34, "urgency": "medium"},
		map[string]any{"order": "4471", "policy": "returns.md §3: damaged on arrival is refunded in full", "similar_messages": []string{"Order 3390 arrived broken", "Order 4102: refund"}},
	})
	s.label(c, "refund", "courier")
	s.assign(c, "ann")
}

// angry has an edit that somebody has not finished.
func (s *scene) angry() {
	const lead = 3
	c := s.thread(lead, "Third time: the invoice is STILL wrong", 5*time.Hour)
	last := s.mail(c, lead, in, 5*time.Hour, "This is the third mail about the same invoice. The address is wrong, the VAT number is wrong, and nobody answers. If it is not right by tomorrow I cancel the contract.\n\nS. Keller, Hotel Seeblick")
	id := s.draft(c, last, 50*time.Second, "Dear Ms Keller,\n\nwe apologise. The corrected invoice is attached.", thought{
		0.58, map[string]any{"mood": "angry", "score": -0.86, "urgency": "high", "risk": "cancels"}, map[string]any{"invoice": "2026-0417"},
	})
	s.do(func() error {
		_, err := s.mine.Suggestions().SaveDraft(s.ctx, id, "Dear Ms Keller,\n\nyou are right, and I am sorry: three mails about one invoice are two too many. I have corrected the address and the VAT number myself, and ", store.SaveOptions{By: "ben"})
		return err
	})
	s.label(c, "invoice", "escalated")
	s.do(func() error {
		_, err := s.mine.Conversations().Pin(s.ctx, c.ID)
		return err
	})
}

// overtaken has a draft for a mail that a newer one has overtaken, and one for that.
func (s *scene) overtaken() {
	const lead = 6
	c := s.thread(lead, "Delivery to the new warehouse", 3*time.Hour)
	first := s.mail(c, lead, in, 3*time.Hour, "Can you deliver to Szeged instead of Pécs?")
	s.draft(c, first, 30*time.Second, "Yes, we can deliver to Szeged.", thought{confidence: 0.81})
	second := s.mail(c, lead, in, 50*time.Minute, "Sorry, I was too quick: half of it to Szeged, the rest stays in Pécs.")
	s.draft(c, second, 45*time.Second, "Gladly: half of the pallets go to Szeged, the other half to Pécs. Each address gets its own delivery note.", thought{
		0.88, map[string]any{"mood": "friendly", "score": 0.41}, map[string]any{"orders": []string{"4502"}},
	})
}

// absent is answered by a machine, which wakes nobody.
func (s *scene) absent() {
	const lead = 7
	c := s.thread(lead, "Your order of gloves", 26*time.Hour)
	s.mail(c, lead, out, 26*time.Hour, "Dear Dr. Okafor,\n\nthe gloves are back in stock. Shall we send the usual twelve boxes?")
	s.mail(c, lead, in, 26*time.Hour-time.Minute, "I am out of the office until Monday and read no mail. In urgent cases please call reception.", kind(message.KindAutoReply), func(m *message.Message) {
		m.Headers["Auto-Submitted"] = []string{"auto-replied"}
	})
}

// bounced came back.
func (s *scene) bounced() {
	const lead = 16
	c := s.thread(lead, "Paper samples", 30*time.Hour)
	asked := s.mail(c, lead, in, 30*time.Hour, "Would you send us samples of the grey paper?")
	id := s.draft(c, asked, time.Minute, "With pleasure: they leave tomorrow.", thought{confidence: 0.9})
	entry := s.approve(c, lead, id, "ann", s.ago(29*time.Hour))
	s.do(func() error {
		_, err := s.mine.Deliveries().Claim(s.ctx, store.ClaimOptions{Worker: "madeup", Limit: 1})
		return err
	})
	s.do(func() error {
		_, err := s.mine.Deliveries().Fail(s.ctx, entry.ID, "madeup", store.Failure{Final: true, Error: "550 5.1.1 no such user here"})
		return err
	})
	s.mail(c, lead, in, 28*time.Hour, "This is the mail system at mx.petit-papier.example.\n\nYour message could not be delivered to one recipient.\n\n550 5.1.1 no such user here", kind(message.KindBounce), func(m *message.Message) {
		m.SenderEmail = "mailer-daemon@petit-papier.example"
	})
}

// snoozed rests until tomorrow.
func (s *scene) snoozed() {
	const lead = 11
	c := s.thread(lead, "Bulbs for the spring", 8*time.Hour)
	s.mail(c, lead, in, 8*time.Hour, "Please remind us tomorrow: the list of bulbs is nearly ready.")
	s.label(c, "order")
	s.assign(c, "ann")
	s.do(func() error {
		_, err := s.mine.Conversations().Snooze(s.ctx, c.ID, s.now.Add(18*time.Hour))
		return err
	})
}

// waiting is approved, and goes out in an hour unless somebody takes it back.
func (s *scene) waiting() {
	const lead = 8
	c := s.thread(lead, "Spare parts for the arm R-7", 2*time.Hour)
	asked := s.mail(c, lead, in, 2*time.Hour, "Do you have the bearings in stock, and what is the lead time?")
	id := s.draft(c, asked, time.Minute, "All twelve bearings are in stock and leave within a day of your order.", thought{confidence: 0.95})
	s.approve(c, lead, id, "ben", s.now.Add(time.Hour))
}

// spanish is in another language, and long.
func (s *scene) spanish() {
	const lead = 5
	c := s.thread(lead, "Presupuesto para la feria de otoño", 90*time.Minute)
	last := s.mail(c, lead, in, 90*time.Minute, "Buenos días:\n\n¿Podrían enviarnos un presupuesto para cuarenta mesas y ochenta sillas, del 3 al 9 de octubre, con montaje el día 2 por la tarde? El recinto cierra a las 22:00.\n\nUn saludo,\nLucía Flores")
	s.draft(c, last, 70*time.Second, "Buenos días, señora Flores:\n\nadjuntamos el presupuesto: 40 mesas y 80 sillas del 3 al 9 de octubre, con montaje el día 2 a partir de las 16:00.\n\nUn saludo,\nMill & Harbour", thought{
		0.79, map[string]any{"mood": "friendly", "language": "es"}, nil,
	})
	s.label(c, "quotation")
}
