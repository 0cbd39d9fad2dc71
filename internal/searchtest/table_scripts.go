package searchtest

func otherScripts() []Group {
	return []Group{greekAndCyrillic(), rightToLeft(), southAsia(), caucasus(), emoji()}
}

func greekAndCyrillic() Group {
	return Group{
		Kind: "Greek, Russian, Ukrainian",
		Texts: []Text{
			{"bill", "Καλημέρα, πότε θα έρθει ο λογαριασμός;"},
			{"ithaca", "Ο ΟΔΥΣΣΕΥΣ έφτασε στην Ιθάκη"},
			{"tree", "Ёлка стоит в зале, ещё есть билеты."},
			{"refund", "Мой заказ не пришёл, верните деньги!"},
			{"luggage", "мои вещи потерялись в аэропорту"},
			{"office", "Її об'єкт у Києві, під'їзд 3."},
			{"button", "Ґудзик загубився, надішліть інший."},
			{"bulgarian", "Здравейте, кога ще пристигне пратката?"},
		},
		Queries: []Query{
			{Ask: "ποτε", Finds: Marks{"bill": "πότε"}},
			{Ask: "ΛΟΓΑΡΙΑΣΜΟΣ", Finds: Marks{"bill": "λογαριασμός"}},
			{Ask: "οδυσσευς", Finds: Marks{"ithaca": "ΟΔΥΣΣΕΥΣ"}, Doc: "ithaca"},
			{Ask: "Οδυσσεύς ιθακη", Finds: Marks{"ithaca": "ΟΔΥΣΣΕΥΣ|Ιθάκη"}},
			{Ask: "елка", Finds: Marks{"tree": "Ёлка"}, Doc: "tree"},
			{Ask: "ЕЩЕ", Finds: Marks{"tree": "ещё"}},
			{Ask: "мой", Finds: Marks{"refund": "Мой"}},
			{Ask: "мои", Finds: Marks{"luggage": "мои"}},
			{Ask: `"верните деньги"`, Finds: Marks{"refund": "верните деньги"}},
			{Ask: "зака*", Finds: Marks{"refund": "заказ"}},
			{Ask: "ДЕНЬГИ", How: Part, Finds: Marks{"refund": "деньги"}},
			{Ask: "аэропорт", Finds: Marks{}},
			{Ask: "аэропорт", How: Part, Finds: Marks{"luggage": "аэропорт"}},
			{Ask: "в", Finds: Marks{"tree": "в", "luggage": "в"}},
			{Ask: "києві", Finds: Marks{"office": "Києві"}},
			{Ask: "об'єкт", Finds: Marks{"office": "об'єкт"}},
			{Ask: "ґудзик", Finds: Marks{"button": "Ґудзик"}},
			{Ask: "пратката", Finds: Marks{"bulgarian": "пратката"}},
		},
	}
}

func rightToLeft() Group {
	return Group{
		Kind: "Arabic, Persian, Hebrew",
		Texts: []Text{
			{"hello", "مَرْحَبًا، أين طلبي رقم ٤٥٦؟"},
			{"cancel", "تم إلغاء الحساب بعد الدفع"},
			{"name", "محـــمد أحمد"},
			{"persian", "می\u200cخواهم سفارشم را لغو کنم"},
			{"urdu", "میرا آرڈر کہاں ہے؟"},
			{"when", "שָׁלוֹם, מתי יגיע המשלוח?"},
			{"order", "ביטלתי את ההזמנה אתמול"},
		},
		Queries: []Query{
			{Ask: "مرحبا", Finds: Marks{"hello": "مَرْحَبًا"}, Doc: "hello"},
			{Ask: "اين", Finds: Marks{"hello": "أين"}},
			{Ask: "٤٥٦", Finds: Marks{"hello": "٤٥٦"}},
			{Ask: "الغاء", Finds: Marks{"cancel": "إلغاء"}},
			{Ask: `"الحساب بعد"`, Finds: Marks{"cancel": "الحساب بعد"}},
			{Ask: "ال*", Finds: Marks{"cancel": "إلغاء|الحساب|الدفع"}},
			{Ask: "محمد", Finds: Marks{"name": "محـــمد"}},
			{Ask: "احمد", Finds: Marks{"name": "أحمد"}},
			{Ask: "میخواهم", Finds: Marks{"persian": "می\u200cخواهم"}},
			{Ask: "سفارشم لغو", Finds: Marks{"persian": "سفارشم|لغو"}},
			{Ask: "ارڈر", Finds: Marks{"urdu": "آرڈر"}},
			{Ask: "שלום", Finds: Marks{"when": "שָׁלוֹם"}, Doc: "when"},
			{Ask: "המשלוח", Finds: Marks{"when": "המשלוח"}},
			{Ask: `"את ההזמנה"`, Finds: Marks{"order": "את ההזמנה"}},
			{Ask: "הזמנה", Finds: Marks{}},
			{Ask: "הזמנה", How: Part, Finds: Marks{"order": "הזמנה"}},
		},
	}
}

func southAsia() Group {
	return Group{
		Kind: "Hindi, Bengali, Tamil",
		Texts: []Text{
			{"when", "नमस्ते, मेरा ऑर्डर कब आएगा?"},
			{"price", "कि यह \u0958ीमत सही है"},
			{"bengali", "আমার টাকা ফেরত দিন"},
			{"tamil", "என் பணத்தை திருப்பித் தாருங்கள்"},
		},
		Queries: []Query{
			{Ask: "ऑर्डर", Finds: Marks{"when": "ऑर्डर"}, Doc: "when"},
			{Ask: "नमस्ते", Finds: Marks{"when": "नमस्ते"}},
			{Ask: "क", Finds: Marks{}},
			{Ask: "कि", Finds: Marks{"price": "कि"}},
			{Ask: "\u0915\u093cीमत", Finds: Marks{"price": "\u0958ीमत"}},
			{Ask: "টাকা ফেরত", Finds: Marks{"bengali": "টাকা|ফেরত"}},
			{Ask: "பணத்தை", Finds: Marks{"tamil": "பணத்தை"}},
			{Ask: "திருப்*", Finds: Marks{"tamil": "திருப்பித்"}},
		},
	}
}

func caucasus() Group {
	return Group{
		Kind: "Georgian, Armenian, Amharic",
		Texts: []Text{
			{"georgian", "გამარჯობა, სად არის ჩემი შეკვეთა?"},
			{"armenian", "Բարև, որտեղ է իմ պատվերը"},
			{"amharic", "ሰላም፣ ትዕዛዜ የት ነው?"},
		},
		Queries: []Query{
			{Ask: "გამარჯობა", Finds: Marks{"georgian": "გამარჯობა"}},
			{Ask: "ᲒᲐᲛᲐᲠᲯᲝᲑᲐ", Finds: Marks{"georgian": "გამარჯობა"}},
			{Ask: "բարեւ", Finds: Marks{"armenian": "Բարև"}},
			{Ask: "ՊԱՏՎԵՐԸ", Finds: Marks{"armenian": "պատվերը"}},
			{Ask: "ሰላም", Finds: Marks{"amharic": "ሰላም"}},
			{Ask: "ትዕዛ*", Finds: Marks{"amharic": "ትዕዛዜ"}},
		},
	}
}

func emoji() Group {
	return Group{
		Kind: "emoji",
		Texts: []Text{
			{"thumb", "ship it 👍🏽!"},
			{"family", "👩‍👧 family plan?"},
			{"flags", "Flight 🇩🇪🇫🇷 booked"},
			{"heart", "I ❤️ it"},
			{"smiles", "lol 😀 so funny"},
			{"glued", "great🎉party"},
		},
		Queries: []Query{
			{Ask: "👍", Finds: Marks{"thumb": "👍🏽"}},
			{Ask: "👍🏻", Finds: Marks{"thumb": "👍🏽"}},
			{Ask: "👎", Finds: Marks{}},
			{Ask: "👧", Finds: Marks{"family": "👧"}},
			{Ask: "🇫🇷", Finds: Marks{"flags": "🇫🇷"}},
			{Ask: "🇪🇫", Finds: Marks{}},
			{Ask: "❤", Finds: Marks{"heart": "❤️"}},
			{Ask: "😀 funny", Finds: Marks{"smiles": "😀|funny"}},
			{Ask: "party", Finds: Marks{"glued": "party"}},
			{Ask: "great -🎉", Finds: Marks{}},
			{Ask: "🎉", How: Part, Finds: Marks{"glued": "🎉"}},
		},
	}
}
