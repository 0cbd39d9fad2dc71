package searchtest

func signs() []Group {
	return []Group{markup(), signsInside(), apostrophes(), namesWithSigns()}
}

func markup() Group {
	return Group{
		Kind: "markup",
		Texts: []Text{
			{"style", "Put the <style> block first. Then reload apache."},
			{"compare", "if x<y return early, else -> retry in 30 s"},
			{"script", `The page broke after <script src="cart.js"></script> was added.`},
			{"entity", "Write &lt;b&gt; or &amp; when you mean the sign itself."},
			{"unclosed", "<div class=hero <p>Welcome back, Priya"},
			{"comment", "<!-- TODO: ask legal --> Terms of delivery"},
			{"markdown", "**Total:** 3 items, see [the list](#items) and `make install`"},
		},
		Queries: []Query{
			{Ask: "apache", Finds: Marks{"style": "apache"}, Doc: "style"},
			{Ask: "style", Finds: Marks{"style": "style"}},
			{Ask: "retry", Finds: Marks{"compare": "retry"}, Doc: "compare"},
			{Ask: "y", Finds: Marks{"compare": "y"}},
			{Ask: "cart.js", Finds: Marks{"script": "cart.js"}},
			{Ask: "broke added", Finds: Marks{"script": "broke|added"}},
			{Ask: "<script>", Finds: Marks{"script": "script|script"}},
			{Ask: "amp", Finds: Marks{"entity": "amp"}},
			{Ask: "priya", Finds: Marks{"unclosed": "Priya"}},
			{Ask: "hero welcome", Finds: Marks{"unclosed": "hero|Welcome"}},
			{Ask: "legal", Finds: Marks{"comment": "legal"}},
			{Ask: `"block then"`, Finds: Marks{}},
			{Ask: "total", Finds: Marks{"markdown": "Total"}},
			{Ask: "items", Finds: Marks{"markdown": "items|items"}},
			{Ask: "`make install`", Finds: Marks{"markdown": "make|install"}},
		},
	}
}

func signsInside() Group {
	return Group{
		Kind: "words with a sign between them",
		Texts: []Text{
			{"slash", "read/write access for everyone"},
			{"pronoun", "each tester notes what he/she saw"},
			{"hours", "Support is there 24/7, also on holidays"},
			{"speed", "The scooter does 25 km/h at most"},
			{"choice", "Reply with yes/no by Thursday"},
			{"glued", "That was quick, thanks.Bye for now"},
			{"decision", "See DEC-0054 for the reasons"},
			{"path", "The bug is in src/main.go, line 40"},
			{"hyphen", "a well-known firm"},
			{"apart", "a well known firm from Porto"},
			{"under", "user_id and order_id differ"},
			{"dotted", "Node.js and ASP.NET are both fine"},
			{"dots", "well...maybe tomorrow"},
			{"dash", "Berlin–Wien takes eight hours"},
			{"comma", "apples,pears;plums|figs"},
		},
		Queries: []Query{
			{Ask: "write", Finds: Marks{"slash": "write"}, Doc: "slash"},
			{Ask: "read/write", Finds: Marks{"slash": "read/write"}},
			{Ask: "write read", Finds: Marks{"slash": "read|write"}},
			{Ask: `"write read"`, Finds: Marks{}},
			{Ask: "she", Finds: Marks{"pronoun": "she"}},
			{Ask: "24", Finds: Marks{"hours": "24"}, Doc: "hours"},
			{Ask: "24/7", Finds: Marks{"hours": "24/7"}},
			{Ask: "km", Finds: Marks{"speed": "km"}},
			{Ask: "km h", Finds: Marks{"speed": "km|h"}},
			{Ask: "no", Finds: Marks{"choice": "no"}},
			{Ask: "thanks", Finds: Marks{"glued": "thanks"}},
			{Ask: "bye", Finds: Marks{"glued": "Bye"}},
			{Ask: "0054", Finds: Marks{"decision": "0054"}, Doc: "decision"},
			{Ask: "dec-0054", Finds: Marks{"decision": "DEC-0054"}},
			{Ask: "main", Finds: Marks{"path": "main"}, Doc: "path"},
			{Ask: "src/main.go", Finds: Marks{"path": "src/main.go"}},
			{Ask: "main.go src", Finds: Marks{"path": "src|main.go"}},
			{Ask: "known", Finds: Marks{"hyphen": "known", "apart": "known"}, Doc: "hyphen"},
			{Ask: "well-known", Finds: Marks{"hyphen": "well-known", "apart": "well known"}, Doc: "apart"},
			{Ask: "wellknown", Finds: Marks{}},
			{Ask: "id", Finds: Marks{"under": "id|id"}},
			{Ask: "user_id", Finds: Marks{"under": "user_id"}, Doc: "under"},
			{Ask: "order-id", Finds: Marks{"under": "order_id"}},
			{Ask: "userid", Finds: Marks{}},
			{Ask: ".net", Finds: Marks{"dotted": "NET"}},
			{Ask: "node.js asp.net", Finds: Marks{"dotted": "Node.js|ASP.NET"}},
			{Ask: "maybe", Finds: Marks{"dots": "maybe"}},
			{Ask: "berlin-wien", Finds: Marks{"dash": "Berlin–Wien"}},
			{Ask: "pears plums figs", Finds: Marks{"comma": "pears|plums|figs"}},
		},
	}
}

func apostrophes() Group {
	return Group{
		Kind: "apostrophes",
		Texts: []Text{
			{"straight", "I don't think so"},
			{"curly", "we don’t ship to islands"},
			{"french", "L’eau de l'île n'est pas potable"},
			{"irish", "Ask Mrs O'Brien"},
			{"rock", "rock 'n' roll all night"},
			{"plural", "the teams' desks"},
			{"ukrainian", "під’їзд 3, об'єкт закрито"},
		},
		Queries: []Query{
			{Ask: "don't", Finds: Marks{"straight": "don't", "curly": "don’t"}, Doc: "curly"},
			{Ask: "don’t", Finds: Marks{"straight": "don't", "curly": "don’t"}},
			{Ask: "dont", Finds: Marks{}},
			{Ask: "eau", Finds: Marks{"french": "eau"}, Doc: "french"},
			{Ask: "l'eau", Finds: Marks{"french": "L’eau"}},
			{Ask: "ile", Finds: Marks{"french": "île"}},
			{Ask: "o'brien", Finds: Marks{"irish": "O'Brien"}},
			{Ask: "BRIEN", Finds: Marks{"irish": "Brien"}},
			{Ask: "n", Finds: Marks{"rock": "n", "french": "n"}},
			{Ask: "teams", Finds: Marks{"plural": "teams"}},
			{Ask: "під'їзд", Finds: Marks{"ukrainian": "під’їзд"}},
			{Ask: "об’єкт", Finds: Marks{"ukrainian": "об'єкт"}},
		},
	}
}

func namesWithSigns() Group {
	return Group{
		Kind: "names with signs",
		Texts: []Text{
			{"cpp", "We moved from C to C++ last year"},
			{"csharp", "The C# client throws on start"},
			{"net", ".NET 9 is out"},
			{"vitamin", "Vitamin C is in the box"},
			{"issue", "Fixed by #4711 and PR #98"},
			{"tag", "#blackfriday starts now @everyone"},
			{"brand", "Yahoo! and Toys“R”Us"},
		},
		Queries: []Query{
			{Ask: "c", Finds: Marks{"cpp": "C|C", "csharp": "C", "vitamin": "C"}},
			{Ask: "c++", Finds: Marks{"cpp": "C++"}, Doc: "cpp"},
			{Ask: "c#", Finds: Marks{"csharp": "C#"}},
			{Ask: "c -c++", Finds: Marks{"csharp": "C", "vitamin": "C"}},
			{Ask: `"from c to c++"`, Finds: Marks{"cpp": "from C to C++"}},
			{Ask: "c*", Finds: Marks{"cpp": "C|C", "csharp": "C|client", "vitamin": "C"}},
			{Ask: ".net", Finds: Marks{"net": "NET"}},
			{Ask: "#4711", Finds: Marks{"issue": "4711"}},
			{Ask: "pr-98", Finds: Marks{"issue": "PR #98"}},
			{Ask: "#blackfriday", Finds: Marks{"tag": "blackfriday"}},
			{Ask: "everyone", Finds: Marks{"tag": "everyone"}},
			{Ask: "yahoo!", Finds: Marks{"brand": "Yahoo"}},
		},
	}
}
