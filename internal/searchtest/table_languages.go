package searchtest

// Languages returns the table for stores with [Stemmers] and English as the standard.
func Languages() []Group {
	return []Group{englishForms(), germanForms(), frenchForms(), russianForms(), mixedForms(), formRanks(), formless()}
}

func englishForms() Group {
	return Group{
		Kind: "forms in English, the standard",
		Texts: []Text{
			{"pay", "When will you pay the invoice?"},
			{"paying", "PAYING was never the problem, payment is"},
			{"paid", "It is paid"},
			{"payroll", "the payroll of March"},
			{"cities", "Two cities, one City"},
		},
		Languages: map[string]string{"paying": "en"},
		Queries: []Query{
			{Ask: "pay", Finds: Marks{"pay": "pay", "paying": "PAYING|payment"}, Doc: "paying"},
			{Ask: "payments", Finds: Marks{"pay": "pay", "paying": "PAYING|payment"}, Doc: "pay"},
			{Ask: `"pay"`, Finds: Marks{"pay": "pay"}, Doc: "pay"},
			{Ask: `"paying"`, Finds: Marks{"paying": "PAYING"}},
			{Ask: `"pay the"`, Finds: Marks{"pay": "pay the"}},
			{Ask: `"paying the"`, Finds: Marks{}},
			{Ask: "pay*", Finds: Marks{"pay": "pay", "paying": "PAYING|payment", "payroll": "payroll"}},
			{Ask: "paying*", Finds: Marks{"paying": "PAYING"}},
			{Ask: "paying-the", Finds: Marks{}},
			{Ask: "pay-the", Finds: Marks{"pay": "pay the"}},
			{Ask: "paying -payments", Finds: Marks{}},
			{Ask: `paying -"paying"`, Finds: Marks{"pay": "pay"}},
			{Ask: "invoices -problems", Finds: Marks{"pay": "invoice"}},
			{Ask: "paying OR rolled", Finds: Marks{"pay": "pay", "paying": "PAYING|payment"}},
			{Ask: "paying the", Finds: Marks{"pay": "pay|the", "paying": "PAYING|the|payment"}},
			{Ask: "pays marching", How: Any, Finds: Marks{"pay": "pay", "paying": "PAYING|payment", "payroll": "March"}},
			{Ask: "city", Finds: Marks{"cities": "cities|City"}, Doc: "cities"},
			{Ask: "pay paying", Finds: Marks{"pay": "pay", "paying": "PAYING|payment"}},
			{Ask: `paying "pay"`, Finds: Marks{"pay": "pay"}},
			{Ask: "paying", How: Part, Finds: Marks{"paying": "PAYING"}},
		},
	}
}

func germanForms() Group {
	return Group{
		Kind: "forms in German",
		Texts: []Text{
			{"one", "Die Rechnung ist da, das Haus auch."},
			{"many", "Alle Rechnungen der Häuser"},
			{"verb", "Wir rechnen mit dem Schlimmsten"},
			{"none", "Rechnungen"},
		},
		Languages: map[string]string{"one": "de", "many": "de", "verb": "de", "none": "en"},
		Queries: []Query{
			{Ask: "Rechnungen", Finds: Marks{"one": "Rechnung", "many": "Rechnungen", "verb": "rechnen", "none": "Rechnungen"}, Doc: "one"},
			{Ask: "RECHNUNG", Finds: Marks{"one": "Rechnung", "many": "Rechnungen", "verb": "rechnen"}},
			{Ask: "häuser", Finds: Marks{"one": "Haus", "many": "Häuser"}, Doc: "one"},
			{Ask: "hauses", Finds: Marks{"one": "Haus", "many": "Häuser"}},
			{Ask: "ha\u0308user", Finds: Marks{"one": "Haus", "many": "Häuser"}},
			{Ask: `"der häuser"`, Finds: Marks{"many": "der Häuser"}},
			{Ask: `"der haus"`, Finds: Marks{}},
		},
	}
}

func frenchForms() Group {
	return Group{
		Kind: "forms in French, with accents that an end needs",
		Texts: []Text{
			{"paid", "La facture est payée, les factures sont payées"},
			{"pay", "Il faut payer l'eau"},
			{"bare", "facture payee hier"},
		},
		Languages: map[string]string{"paid": "fr", "pay": "fr", "bare": "fr"},
		Queries: []Query{
			{Ask: "payé", Finds: Marks{"paid": "payée|payées", "pay": "payer"}, Doc: "paid"},
			{Ask: "payée", Finds: Marks{"paid": "payée|payées", "pay": "payer", "bare": "payee"}, Doc: "bare"},
			{Ask: "payee", Finds: Marks{"paid": "payée", "bare": "payee"}},
			{Ask: "PAYÉES", Finds: Marks{"paid": "payée|payées", "pay": "payer"}},
			{Ask: "l'eaux", Finds: Marks{}},
			{Ask: "l'eau", Finds: Marks{"pay": "l'eau"}},
		},
	}
}

func russianForms() Group {
	return Group{
		Kind: "forms in Russian",
		Texts: []Text{
			{"one", "Ваш заказ готов"},
			{"many", "Нет ЗАКАЗОВ с ошибками"},
			{"ukrainian", "замовлення заказов"},
		},
		Languages: map[string]string{"one": "ru", "many": "ru", "ukrainian": "uk"},
		Queries: []Query{
			{Ask: "заказы", Finds: Marks{"one": "заказ", "many": "ЗАКАЗОВ"}, Doc: "many"},
			{Ask: "заказов", Finds: Marks{"one": "заказ", "many": "ЗАКАЗОВ", "ukrainian": "заказов"}},
			{Ask: "ошибка", Finds: Marks{"many": "ошибками"}},
		},
	}
}

// mixedForms has words that are forms of each other in one language and not in another.
func mixedForms() Group {
	return Group{
		Kind: "forms of several languages at once",
		Texts: []Text{
			{"english", "rated and hiding boots"},
			{"german", "raten und hide booten"},
			{"french", "rater et boots"},
			{"none", "rates"},
		},
		Languages: map[string]string{"english": "en", "german": "de", "french": "fr", "none": "xx"},
		Queries: []Query{
			{Ask: "rates", Finds: Marks{"english": "rated", "german": "raten", "french": "rater", "none": "rates"}},
			{Ask: "rater", Finds: Marks{"german": "raten", "french": "rater"}},
			{Ask: "boots", Finds: Marks{"english": "boots", "french": "boots"}},
			{Ask: "boote", Finds: Marks{"english": "boots", "german": "booten", "french": "boots"}},
			{Ask: "booting", Finds: Marks{"english": "boots"}},
			{Ask: "boot -booten", Finds: Marks{"english": "boots", "french": "boots"}},
		},
	}
}

func formRanks() Group {
	return Group{
		Kind: "rank by forms",
		Texts: []Text{
			{"three", "order orders ordering one two"},
			{"two", "order orders one two three"},
			{"one", "ordering one two three four"},
			{"none", "nothing of it in this text"},
			{"neither", "and nothing in this one too"},
			{"nowhere", "but some more for the average"},
			{"empty", "at the end of all these texts"},
		},
		Queries: []Query{
			{
				Ask: "orders", Finds: Marks{"three": "order|orders|ordering", "two": "order|orders", "one": "ordering"},
				Order: []string{"three", "two", "one"},
			},
			{Ask: `"orders"`, Finds: Marks{"three": "orders", "two": "orders"}},
		},
	}
}

// formless is what has no forms, in any language.
func formless() Group {
	return Group{
		Kind: "words without forms",
		Texts: []Text{
			{"numbers", "2024s and 100s, Q4s"},
			{"chinese", "我想退回上周买的鞋子"},
			{"thai", "ฉันต้องการคืนรองเท้า"},
			{"signs", "C++ and C#s"},
			{"long", "sssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssssss"},
			{"hidden", "bil\u00adling and fu\u200dels, ﬁlings"},
			{"other", "2024 100 Q4"},
		},
		Languages: map[string]string{"numbers": "en", "chinese": "de", "thai": "en", "signs": "en", "long": "en", "hidden": "en", "other": "en"},
		Queries: []Query{
			{Ask: "2024", Finds: Marks{"other": "2024"}},
			{Ask: "q4", Finds: Marks{"other": "Q4"}},
			{Ask: "退回", Finds: Marks{"chinese": "退回"}},
			{Ask: "รองเท้า", Finds: Marks{"thai": "รองเท้า"}},
			{Ask: "c++", Finds: Marks{"signs": "C++"}},
			{Ask: "bills", Finds: Marks{"hidden": "bil\u00adling"}},
			{Ask: "fuel", Finds: Marks{"hidden": "fu\u200dels"}},
			{Ask: "filed", Finds: Marks{"hidden": "ﬁlings"}},
		},
	}
}
