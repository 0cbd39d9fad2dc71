package searchtest

func mails() []Group { return []Group{inbox(), abroad()} }

// inbox is a support inbox, as it comes.
func inbox() Group {
	return Group{
		Kind: "an inbox",
		Texts: []Text{
			{"refund", "Hi, I sent the jacket back two weeks ago and my refund is still missing. Order 88213, paid by card."},
			{"invoice", "Hello Priya,\n\nthe unpaid invoice 2026-117 was settled yesterday by bank transfer.\n\nBest\nTom"},
			{"quoted", "> Where is my refund?\n> It has been ten days.\n\nWe paid it out this morning, please allow two days for your bank."},
			{"login", "I can't log in. The reset link says \"expired\" every single time, even when I click it at once!!"},
			{"signature", "Sounds good.\n--\nDr. Marta Nowak | Head of Sales\nT +48 22 555 01 34 | marta.nowak@example.pl"},
			{"meeting", "Could we move Tuesday's call to Thursday, 3 pm? I have a dentist's appointment."},
			{"complaint", "This is the THIRD time I am writing about the same broken zip. I want my money back, not another jacket."},
			{"forward", "---------- Forwarded message ----------\nFrom: Ana <ana@example.org>\nSubject: Re: Fwd: quote for 25 seats"},
			{"short", "ok thx"},
			{"bot", "Ticket #5521 was closed automatically. Reply within 7 days to reopen it."},
			{"upsell", "Our spring sale: up to 40 % off jackets, shoes & bags. Unsubscribe: https://mail.example/u/88213"},
		},
		Queries: []Query{
			{Ask: "refund", Finds: Marks{"refund": "refund", "quoted": "refund"}},
			{Ask: "missing refund", Finds: Marks{"refund": "refund|missing"}},
			{Ask: `"unpaid invoice"`, Finds: Marks{"invoice": "unpaid invoice"}},
			{Ask: "jacket", Finds: Marks{"refund": "jacket", "complaint": "jacket"}},
			{Ask: "jacket*", Finds: Marks{"refund": "jacket", "complaint": "jacket", "upsell": "jackets"}},
			{Ask: "jacket -zip", Finds: Marks{"refund": "jacket"}},
			{Ask: "88213", Finds: Marks{"refund": "88213", "upsell": "88213"}},
			{Ask: `"ten days"`, Finds: Marks{"quoted": "ten days"}},
			{Ask: "two days OR weeks", Finds: Marks{"refund": "two|weeks", "quoted": "days|two|days"}},
			{Ask: "log in", Finds: Marks{"login": "log|in"}},
			{Ask: "can't expired", Finds: Marks{"login": "can't|expired"}},
			{Ask: "marta.nowak@example.pl", Finds: Marks{"signature": "marta.nowak@example.pl"}},
			{Ask: `"sounds good dr"`, Finds: Marks{"signature": "Sounds good. -- Dr"}},
			{Ask: "tuesday", Finds: Marks{"meeting": "Tuesday"}},
			{Ask: "3 pm", Finds: Marks{"meeting": "3|pm"}},
			{Ask: "third", Finds: Marks{"complaint": "THIRD"}},
			{Ask: `"money back"`, Finds: Marks{"complaint": "money back"}},
			{Ask: "fwd: quote", Finds: Marks{"forward": "Fwd|quote"}},
			{Ask: "thx", Finds: Marks{"short": "thx"}},
			{Ask: "#5521", Finds: Marks{"bot": "5521"}},
			{Ask: "closed reopened", Finds: Marks{}},
			{Ask: "closed reopened", How: Any, Finds: Marks{"bot": "closed"}},
			{Ask: "refund money jacket", How: Any, Finds: Marks{"refund": "jacket|refund", "quoted": "refund", "complaint": "money|jacket"}},
			{Ask: "where is the money for my jacket -refund", How: Any, Finds: Marks{
				"invoice": "the", "login": "The", "complaint": "is|the|the|my|money|jacket", "forward": "for",
			}},
			{Ask: "T +48 22", How: Part, Finds: Marks{"signature": "T +48 22"}},
			{Ask: "jack", How: Part, Finds: Marks{"refund": "jack", "complaint": "jack", "upsell": "jack"}},
		},
	}
}

// abroad are customers of one shop who write about the same in their own languages.
//
//nolint:misspell // Dutch and Polish write "adres".
func abroad() Group {
	return Group{
		Kind: "one shop, many languages",
		Texts: []Text{
			{"en", "Hello, my parcel 7731 has not arrived. Please check the address."},
			{"de", "Hallo, mein Paket 7731 ist nicht angekommen. Bitte prüfen Sie die Adresse."},
			{"fr", "Bonjour, mon colis 7731 n'est pas arrivé. Vérifiez l'adresse s'il vous plaît."},
			{"es", "Hola, mi paquete 7731 no ha llegado. Comprueben la dirección."},
			{"pt", "Olá, a minha encomenda 7731 não chegou. Verifiquem o endereço."},
			{"it", "Buongiorno, il mio pacco 7731 non è arrivato. Controllate l'indirizzo."},
			{"nl", "Hallo, mijn pakket 7731 is niet aangekomen. Controleer het adres."},
			{"pl", "Witam, moja paczka 7731 nie dotarła. Proszę sprawdzić adres."},
			{"cs", "Dobrý den, můj balík 7731 nedorazil. Zkontrolujte adresu."},
			{"tr", "Merhaba, 7731 numaralı paketim gelmedi. Adresi kontrol edin."},
			{"ru", "Здравствуйте, моя посылка 7731 не пришла. Проверьте адрес."},
			{"ja", "荷物7731が届いていません。住所を確認してください。"},
			{"zh", "我的包裹7731还没到，请核对地址。"},
			{"ar", "لم يصل طردي 7731 بعد. تحققوا من العنوان."},
		},
		Queries: []Query{
			{Ask: "7731", Finds: Marks{
				"en": "7731", "de": "7731", "fr": "7731", "es": "7731", "pt": "7731", "it": "7731", "nl": "7731",
				"pl": "7731", "cs": "7731", "tr": "7731", "ru": "7731", "ja": "7731", "zh": "7731", "ar": "7731",
			}},
			{Ask: "adresse", Finds: Marks{"de": "Adresse", "fr": "adresse"}},
			{Ask: "adres", Finds: Marks{"nl": "adres", "pl": "adres"}},
			{Ask: "adres*", Finds: Marks{"de": "Adresse", "fr": "adresse", "nl": "adres", "pl": "adres", "cs": "adresu", "tr": "Adresi"}},
			{Ask: "hallo -pakket", Finds: Marks{"de": "Hallo"}},
			{Ask: "arrive", Finds: Marks{"fr": "arrivé"}},
			{Ask: "ola OR hola", Finds: Marks{"pt": "Olá", "es": "Hola"}},
			{Ask: "nao chegou", Finds: Marks{"pt": "não|chegou"}},
			{Ask: "paczka OR paquete OR paket", Finds: Marks{"pl": "paczka", "es": "paquete", "de": "Paket"}},
			{Ask: "balik", Finds: Marks{"cs": "balík"}},
			{Ask: "АДРЕС", Finds: Marks{"ru": "адрес"}},
			{Ask: "住所", Finds: Marks{"ja": "住所"}},
			{Ask: "地址 7731", Finds: Marks{"zh": "7731|地址"}},
			{Ask: "العنوان", Finds: Marks{"ar": "العنوان"}},
			{Ask: "parcel paket colis 荷物", How: Any, Finds: Marks{"en": "parcel", "de": "Paket", "fr": "colis", "ja": "荷物"}},
		},
	}
}
