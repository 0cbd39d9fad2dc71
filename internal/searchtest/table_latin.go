package searchtest

func latin() []Group {
	return []Group{german(), french(), iberian(), italianAndDutch(), polishAndCzech(), turkishAndVietnamese(), northAndEast(), forms()}
}

func german() Group {
	return Group{
		Kind: "German",
		Texts: []Text{
			{"road", "Die Straße vor dem Büro ist gesperrt, bitte fahren Sie über die Müllerstraße."},
			{"greeting", "GRÜSSE aus Wien! Wir sind ab Montag wieder für Sie da."},
			{"invoice", "Können Sie mir die Rechnung für den Kühlschrank noch einmal schicken?"},
			{"parcel", "Das Paket wurde beim Nachbarn abgegeben. Herr Mueller hat es angenommen."},
			{"shoes", "Fußballschuhe, Größe 42, in Weiß"},
			{"tax", "Die Umsatzsteuer-Identifikationsnummer fehlt auf dem Lieferschein"},
		},
		Queries: []Query{
			{Ask: "strasse", Finds: Marks{"road": "Straße"}, Doc: "road"},
			{Ask: "STRASSE", Finds: Marks{"road": "Straße"}},
			{Ask: "STRAẞE", Finds: Marks{"road": "Straße"}},
			{Ask: "buro", Finds: Marks{"road": "Büro"}},
			{Ask: "müller", Finds: Marks{}},
			{Ask: "müller*", Finds: Marks{"road": "Müllerstraße"}},
			{Ask: "mueller", Finds: Marks{"parcel": "Mueller"}},
			{Ask: "grüsse", Finds: Marks{"greeting": "GRÜSSE"}, Doc: "greeting"},
			{Ask: "Grüße", Finds: Marks{"greeting": "GRÜSSE"}},
			{Ask: "grüsse", How: Part, Finds: Marks{"greeting": "GRÜSSE"}, Doc: "greeting"},
			{Ask: "BÜRO", How: Part, Finds: Marks{"road": "Büro"}},
			{Ask: "kuhlschrank rechnung", Finds: Marks{"invoice": "Rechnung|Kühlschrank"}},
			{Ask: `"noch einmal"`, Finds: Marks{"invoice": "noch einmal"}},
			{Ask: "für", Finds: Marks{"greeting": "für", "invoice": "für"}},
			{Ask: "größe 42", Finds: Marks{"shoes": "Größe|42"}},
			{Ask: "groesse", Finds: Marks{}},
			{Ask: "weiss", Finds: Marks{"shoes": "Weiß"}},
			{Ask: "fußball*", Finds: Marks{"shoes": "Fußballschuhe"}},
			{Ask: "schuhe", Finds: Marks{}},
			{Ask: "schuhe", How: Part, Finds: Marks{"shoes": "schuhe"}},
			{Ask: "umsatzsteuer", Finds: Marks{"tax": "Umsatzsteuer"}},
			{Ask: "lieferscheine", Finds: Marks{}},
		},
	}
}

func french() Group {
	return Group{
		Kind: "French",
		Texts: []Text{
			{"parcel", "Bonjour, où en est ma commande ? Le colis devait arriver mardi."},
			{"dessert", "La crème brûlée était délicieuse, merci à toute l'équipe."},
			{"address", "Mon numéro d'abonné a changé ; pouvez-vous mettre à jour l'adresse ?"},
			{"paid", "Nous avons déjà payé la facture nº 12 ; œuvre reçue le 3 août."},
			{"quote", "Le devis « cuisine complète » expire à Noël"},
		},
		Queries: []Query{
			{Ask: "creme brulee", Finds: Marks{"dessert": "crème|brûlée"}, Doc: "dessert"},
			{Ask: "CRÈME", Finds: Marks{"dessert": "crème"}, Doc: "dessert"},
			{Ask: `"creme brulee"`, Finds: Marks{"dessert": "crème brûlée"}},
			{Ask: "« cuisine complete »", Finds: Marks{"quote": "cuisine complète"}},
			{Ask: "ou", Finds: Marks{"parcel": "où"}},
			{Ask: "equipe", Finds: Marks{"dessert": "équipe"}},
			{Ask: "abonne", Finds: Marks{"address": "abonné"}},
			{Ask: "pouvez-vous", Finds: Marks{"address": "pouvez-vous"}},
			{Ask: `"mettre a jour"`, Finds: Marks{"address": "mettre à jour"}},
			{Ask: "oeuvre", Finds: Marks{"paid": "œuvre"}, Doc: "paid"},
			{Ask: "ŒUVRE", Finds: Marks{"paid": "œuvre"}},
			{Ask: "aout recue", Finds: Marks{"paid": "reçue|août"}},
			{Ask: "no 12", Finds: Marks{"paid": "nº|12"}},
			{Ask: "noel", Finds: Marks{"quote": "Noël"}},
			{Ask: "à", Finds: Marks{"dessert": "à", "address": "a|à", "quote": "à"}},
		},
	}
}

func iberian() Group {
	return Group{
		Kind: "Spanish and Portuguese",
		Texts: []Text{
			{"where", "¿Dónde está mi pedido? Lo compré el año pasado y aún no llega."},
			{"size", "El niño quiere cambiar la talla del pantalón."},
			{"birthday", "¡Feliz cumpleaños, señora Muñoz!"},
			{"rates", "Pague en 3 cuotas sin interés, IVA incluido"},
			{"card", "A transação não foi concluída; o cartão está bloqueado."},
			{"delivery", "Vocês fazem entrega em São Paulo amanhã?"},
			{"thanks", "Obrigado pela atenção, até já"},
		},
		Queries: []Query{
			{Ask: "donde esta", Finds: Marks{"where": "Dónde|está"}},
			{Ask: "¿dónde", Finds: Marks{"where": "Dónde"}},
			{Ask: "esta", Finds: Marks{"where": "está", "card": "está"}},
			{Ask: "ano", Finds: Marks{"where": "año"}},
			{Ask: "AÑO", Finds: Marks{"where": "año"}},
			{Ask: "nino", Finds: Marks{"size": "niño"}},
			{Ask: "munoz", Finds: Marks{"birthday": "Muñoz"}},
			{Ask: `"sin interes"`, Finds: Marks{"rates": "sin interés"}},
			{Ask: "nao", Finds: Marks{"card": "não"}},
			{Ask: "transacao", Finds: Marks{"card": "transação"}},
			{Ask: "cartão bloqueado", Finds: Marks{"card": "cartão|bloqueado"}},
			{Ask: `"sao paulo"`, Finds: Marks{"delivery": "São Paulo"}},
			{Ask: "amanha OR cumpleanos", Finds: Marks{"delivery": "amanhã", "birthday": "cumpleaños"}},
			{Ask: "ate", Finds: Marks{"thanks": "até"}},
			{Ask: "MAÑA", How: Part, Finds: Marks{}},
			{Ask: "AMANHÃ", How: Part, Finds: Marks{"delivery": "amanhã"}},
		},
	}
}

func italianAndDutch() Group {
	return Group{
		Kind: "Italian and Dutch",
		Texts: []Text{
			{"order", "Perché l'ordine è stato annullato? Non ho ricevuto nessuna e-mail."},
			{"town", "La città è già nell'elenco, però manca il CAP."},
			{"accounts", "De crediteurenadministratie is coördinerend; vóór vrijdag s.v.p."},
			{"broken", "Eén stuk is kapot, het andere is prima."},
			{"ice", "IJsland en ijsjes"},
			{"port", "Veerboot naar \u0132muiden"}, // the ligature of I and J
		},
		Queries: []Query{
			{Ask: "perche", Finds: Marks{"order": "Perché"}},
			{Ask: "ordine", Finds: Marks{"order": "ordine"}},
			{Ask: `"e stato"`, Finds: Marks{"order": "è stato"}},
			{Ask: "e-mail", Finds: Marks{"order": "e-mail"}},
			{Ask: "email", Finds: Marks{}},
			{Ask: "citta elenco", Finds: Marks{"town": "città|elenco"}},
			{Ask: "e", Finds: Marks{"order": "è|e", "town": "è"}},
			{Ask: "coordinerend", Finds: Marks{"accounts": "coördinerend"}},
			{Ask: "voor", Finds: Marks{"accounts": "vóór"}},
			{Ask: "s.v.p.", Finds: Marks{"accounts": "s.v.p"}},
			{Ask: "crediteuren*", Finds: Marks{"accounts": "crediteurenadministratie"}},
			{Ask: "een", Finds: Marks{"broken": "Eén"}},
			{Ask: "ijs*", Finds: Marks{"ice": "IJsland|ijsjes"}},
			{Ask: "ijmuiden", Finds: Marks{"port": "\u0132muiden"}},
		},
	}
}

func polishAndCzech() Group {
	return Group{
		Kind: "Polish and Czech",
		Texts: []Text{
			{"refund", "Dzień dobry, proszę o zwrot pieniędzy za zamówienie 5521."},
			{"street", "Łódź, ulica Żółwia 7"},
			{"goods", "Dobrý den, kdy mi přijde zboží?"},
			{"dear", "Příliš drahé, děkuji, nechci."},
			{"meters", "Měření proběhne ve čtvrtek v 7 ráno"},
		},
		Queries: []Query{
			{Ask: "dzien dobry", Finds: Marks{"refund": "Dzień|dobry"}},
			{Ask: "dobry", Finds: Marks{"refund": "dobry", "goods": "Dobrý"}},
			{Ask: "prosze pieniedzy", Finds: Marks{"refund": "proszę|pieniędzy"}},
			{Ask: "zamówienie", Finds: Marks{"refund": "zamówienie"}},
			{Ask: "lodz", Finds: Marks{"street": "Łódź"}, Doc: "street"},
			{Ask: "ŁÓDŹ", Finds: Marks{"street": "Łódź"}},
			{Ask: "zolwia 7", Finds: Marks{"street": "Żółwia|7"}},
			{Ask: "zbozi", Finds: Marks{"goods": "zboží"}},
			{Ask: "PŘÍLIŠ", Finds: Marks{"dear": "Příliš"}},
			{Ask: "prilis drahe -nechci", Finds: Marks{}},
			{Ask: "ctvrtek", Finds: Marks{"meters": "čtvrtek"}},
			{Ask: "7", Finds: Marks{"street": "7", "meters": "7"}},
		},
	}
}

func turkishAndVietnamese() Group {
	return Group{
		Kind: "Turkish and Vietnamese",
		Texts: []Text{
			{"branch", "İstanbul şubesi yarın kapalı, ISPARTA açık."},
			{"return", "Ürün iade süresi kaç gün?"},
			{"address", "Tôi muốn đổi địa chỉ giao hàng sang đường Nguyễn Trãi."},
			{"screen", "Điện thoại bị vỡ màn hình khi nhận hàng"},
		},
		Queries: []Query{
			{Ask: "istanbul", Finds: Marks{"branch": "İstanbul"}, Doc: "branch"},
			{Ask: "İSTANBUL", Finds: Marks{"branch": "İstanbul"}},
			{Ask: "ısparta", Finds: Marks{"branch": "ISPARTA"}},
			{Ask: "isparta", Finds: Marks{"branch": "ISPARTA"}},
			{Ask: "subesi yarin", Finds: Marks{"branch": "şubesi|yarın"}},
			{Ask: "İADE", Finds: Marks{"return": "iade"}},
			{Ask: "kac gun", Finds: Marks{"return": "kaç|gün"}},
			{Ask: "duong", Finds: Marks{"address": "đường"}, Doc: "address"},
			{Ask: "ĐƯỜNG", Finds: Marks{"address": "đường"}},
			{Ask: `"nguyen trai"`, Finds: Marks{"address": "Nguyễn Trãi"}},
			{Ask: "dia chi", Finds: Marks{"address": "địa|chỉ"}},
			{Ask: "hang", Finds: Marks{"address": "hàng", "screen": "hàng"}},
			{Ask: "dien thoai", Finds: Marks{"screen": "Điện|thoại"}},
		},
	}
}

func northAndEast() Group {
	return Group{
		Kind: "the north and the east of Europe",
		Texts: []Text{
			{"swedish", "Kan ni skicka till Malmö på lördag?"},
			{"danish", "Jeg får ikke øl og æbler på søndag"},
			{"icelandic", "Þetta er ekki rétt, Guðrún"},
			{"hungarian", "Kérem, küldjék el újra a számlát; őszi árak"},
			{"romanian", "Vă rog să-mi spuneți prețul în lei"},
			{"croatian", "Đorđe traži račun"},
			{"latvian", "Lūdzu, nosūtiet rēķinu"},
			{"maltese", "Grazzi ħafna għall-għajnuna"},
			{"finnish", "Tilaus ei tullut perille, ystävällisin terveisin Jyväskylästä"},
		},
		Queries: []Query{
			{Ask: "malmo", Finds: Marks{"swedish": "Malmö"}},
			{Ask: "pa", Finds: Marks{"swedish": "på", "danish": "på"}},
			{Ask: "ol aebler", Finds: Marks{"danish": "øl|æbler"}},
			{Ask: "thetta gudrun", Finds: Marks{"icelandic": "Þetta|Guðrún"}},
			{Ask: "oszi szamlat", Finds: Marks{"hungarian": "számlát|őszi"}},
			{Ask: "pretul", Finds: Marks{"romanian": "prețul"}},
			{Ask: "să-mi", Finds: Marks{"romanian": "să-mi"}},
			{Ask: "dorde racun", Finds: Marks{"croatian": "Đorđe|račun"}},
			{Ask: "rekinu", Finds: Marks{"latvian": "rēķinu"}},
			{Ask: "hafna", Finds: Marks{"maltese": "ħafna"}},
			{Ask: "jyvaskyla*", Finds: Marks{"finnish": "Jyväskylästä"}},
		},
	}
}

// forms are texts that look the same and are other bytes.
func forms() Group {
	return Group{
		Kind: "composed, decomposed and invisible characters",
		Texts: []Text{
			{"composed", "un caf\u00e9 noir"},
			{"decomposed", "un cafe\u0301 noir"},
			{"unit", "0.1 \u212bngstr\u00f6m"},
			{"ring", "0.2 A\u030angstro\u0308m"},
			{"ligature", "the \ufb01nal o\ufb00er"},
			{"wide", "\uff21\uff22\uff23\uff11\uff12 \uff24\uff25\uff26"},
			{"hyphen", "Zu\u00adsammen\u00adfassung"},
			{"nothing", "zero\u200bwidth"},
			{"mark", "\ufeffhello there"},
			{"embedded", "\u202bשלום!\u202c dinner"},
			{"space", "10\u00a0000 kWh a year"},
			{"trademark", "Foo™ and Bar® in m²"},
			{"nobody", "Angebot\ufdd0Preis\ufdd1Ende des Textes"},
			{"bold", "𝐒𝐚𝐥𝐞 today"},
		},
		Queries: []Query{
			{Ask: "caf\u00e9", Finds: Marks{"composed": "caf\u00e9", "decomposed": "cafe\u0301"}},
			{Ask: "cafe\u0301", Finds: Marks{"composed": "caf\u00e9", "decomposed": "cafe\u0301"}},
			{Ask: "cafe noir", Finds: Marks{"composed": "caf\u00e9|noir", "decomposed": "cafe\u0301|noir"}, Doc: "composed"},
			{Ask: "angstrom", Finds: Marks{"unit": "\u212bngstr\u00f6m", "ring": "A\u030angstro\u0308m"}},
			{Ask: "final offer", Finds: Marks{"ligature": "\ufb01nal|o\ufb00er"}},
			{Ask: "abc12 def", Finds: Marks{"wide": "\uff21\uff22\uff23\uff11\uff12|\uff24\uff25\uff26"}},
			{Ask: "zusammenfassung", Finds: Marks{"hyphen": "Zu\u00adsammen\u00adfassung"}},
			{Ask: "width", Finds: Marks{"nothing": "width"}},
			{Ask: "zerowidth", Finds: Marks{}},
			{Ask: "hello", Finds: Marks{"mark": "hello"}},
			{Ask: "שלום dinner", Finds: Marks{"embedded": "שלום|dinner"}},
			{Ask: `"10 000"`, Finds: Marks{"space": "10 000"}},
			{Ask: "foo bar", Finds: Marks{"trademark": "Foo|Bar"}},
			{Ask: "preis", Finds: Marks{"nobody": "Preis"}},
			{Ask: "ende", Finds: Marks{"nobody": "Ende"}},
			{Ask: "sale", Finds: Marks{"bold": "𝐒𝐚𝐥𝐞"}},
		},
	}
}
