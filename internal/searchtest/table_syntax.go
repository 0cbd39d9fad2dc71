package searchtest

func syntax() []Group { return []Group{syntaxOf(), nothingToFind()} }

func syntaxOf() Group {
	return Group{
		Kind: "phrases, prefixes, exclusions, OR",
		Texts: []Text{
			{"march", "The unpaid invoice from March"},
			{"paid", "The invoice was paid; nothing is unpaid"},
			{"offer", "Draft of the new offer"},
			{"bill", "New bill for the new office"},
			{"website", "our website"},
			{"capital", "An INVOICE as a draft"},
		},
		Queries: append([]Query{
			{Ask: "invoice", Finds: Marks{"march": "invoice", "paid": "invoice", "capital": "INVOICE"}, Doc: "capital"},
			{Ask: "  invoice\tPAID\n", Finds: Marks{"paid": "invoice|paid"}},
			{Ask: "invoice paid", How: Any, Finds: Marks{"march": "invoice", "paid": "invoice|paid", "capital": "INVOICE"}},
			{Ask: `"unpaid invoice"`, Finds: Marks{"march": "unpaid invoice"}},
			{Ask: "“unpaid invoice”", Finds: Marks{"march": "unpaid invoice"}},
			{Ask: "«unpaid invoice»", Finds: Marks{"march": "unpaid invoice"}},
			{Ask: "„unpaid invoice“", Finds: Marks{"march": "unpaid invoice"}},
			{Ask: `"unpaid invoice`, Finds: Marks{"march": "unpaid invoice"}},
			{Ask: `"invoice unpaid"`, Finds: Marks{}},
			{Ask: `"new office" OR "new offer"`, Finds: Marks{"bill": "new office", "offer": "new offer"}},
			{Ask: `"new off"`, Finds: Marks{}},
			{Ask: `"new off*"`, Finds: Marks{}},
			{Ask: "new-off*", Finds: Marks{"bill": "new office", "offer": "new offer"}},
			{Ask: "invoice OR bill", Finds: Marks{"march": "invoice", "paid": "invoice", "bill": "bill", "capital": "INVOICE"}},
			{Ask: "new invoice OR bill", Finds: Marks{"bill": "New|bill|new"}},
			{Ask: "invoice OR OR bill OR", Finds: Marks{"march": "invoice", "paid": "invoice", "bill": "bill", "capital": "INVOICE"}},
			{Ask: "OR bill", Finds: Marks{"bill": "bill"}},
			{Ask: "invoice or bill", Finds: Marks{}},
			{Ask: `bill "OR"`, Finds: Marks{}},
			{Ask: "web", Finds: Marks{}, Doc: "website"},
			{Ask: "web*", Finds: Marks{"website": "website"}, Doc: "website"},
			{Ask: "site", Finds: Marks{}, Doc: "website"},
			{Ask: "site", How: Part, Finds: Marks{"website": "site"}, Doc: "website"},
			{Ask: "INV*", Finds: Marks{"march": "invoice", "paid": "invoice", "capital": "INVOICE"}},
			{Ask: "in*oice", Finds: Marks{}},
		}, moreSyntax()...),
	}
}

func moreSyntax() []Query {
	return []Query{
		{Ask: "invoice -draft", Finds: Marks{"march": "invoice", "paid": "invoice"}},
		{Ask: `invoice -"unpaid invoice"`, Finds: Marks{"paid": "invoice", "capital": "INVOICE"}},
		{Ask: "inv* -dra*", Finds: Marks{"march": "invoice", "paid": "invoice"}},
		{Ask: "-draft invoice", Finds: Marks{"march": "invoice", "paid": "invoice"}},
		{Ask: "invoice OR bill -draft -march", How: Any, Finds: Marks{"paid": "invoice", "bill": "bill"}},
		{Ask: "invoice -nothing-is", Finds: Marks{"march": "invoice", "capital": "INVOICE"}},
		{Ask: "invoice - draft", Finds: Marks{"capital": "INVOICE|draft"}},
		{Ask: "invoice invoice INVOICE", Finds: Marks{"march": "invoice", "paid": "invoice", "capital": "INVOICE"}},
		{Ask: `unpaid "invoice from"`, Finds: Marks{"march": "unpaid|invoice from"}},
		{Ask: `unpaid"invoice from"march`, Finds: Marks{"march": "unpaid|invoice from|March"}},
		{Ask: "(invoice) & march", Finds: Marks{"march": "invoice|March"}},
		{Ask: "invoice:* | march !", Finds: Marks{"march": "invoice|March"}},
		{Ask: "content:invoice", Finds: Marks{}},
		{Ask: "NEAR(invoice march)", Finds: Marks{}},
		{Ask: "'; DROP TABLE messages; --", Finds: Marks{}},
		{Ask: "the new", Finds: Marks{"offer": "the|new", "bill": "New|the|new"}},
		{Ask: "the -the", Finds: Marks{}},
		{Ask: "UNPAID", How: Part, Finds: Marks{"march": "unpaid", "paid": "unpaid"}},
		{Ask: "paid", How: Part, Finds: Marks{"march": "paid", "paid": "paid|paid"}},
		{Ask: " ce f", How: Part, Finds: Marks{"march": "ce f"}},
		{Ask: "_", How: Part, Finds: Marks{}},
		{Ask: "invoice OR bill", How: Part, Finds: Marks{}},
	}
}

func nothingToFind() Group {
	g := Group{
		Kind:  "queries that ask for nothing",
		Texts: []Text{{"some", "a draft of what the OR said -draft * () \"\""}, {"empty", ""}, {"signs", "?! … --- ***"}},
	}
	for _, ask := range []string{"", " ", "\t\n", "*", "-", "--", `""`, `"`, "-draft", `-"a draft"`, "OR", "OR OR", "-a OR -b", "( ) && !! <-> :* ^ ~", "…", "\u200b", "\u0301"} {
		for _, how := range []How{All, Any} {
			g.Queries = append(g.Queries, Query{Ask: ask, How: how, Finds: Marks{}})
		}
	}
	g.Queries = append(g.Queries,
		Query{Ask: " ", How: Part, Finds: Marks{}},
		Query{Ask: "***", How: Part, Finds: Marks{"signs": "***"}},
		Query{Ask: `""`, How: Part, Finds: Marks{"some": `""`}},
	)
	return g
}
