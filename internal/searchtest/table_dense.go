package searchtest

func denseScripts() []Group {
	return []Group{chinese(), japanese(), korean(), southEastAsia(), mixed()}
}

func chinese() Group {
	return Group{
		Kind: "Chinese",
		Texts: []Text{
			{"number", "订单号是12345，请尽快发货。"},
			{"shoes", "我想退回上周买的鞋子"},
			{"shipping", "請問運費多少？台北可以當天到嗎"},
			{"university", "北京大学在北京"},
			{"names", "张三和李四的发票开错了，请重新开具"},
		},
		Queries: []Query{
			{Ask: "12345", Finds: Marks{"number": "12345"}, Doc: "number"},
			{Ask: "订单号", Finds: Marks{"number": "订单号"}},
			{Ask: "是12345", Finds: Marks{"number": "是12345"}},
			{Ask: "发货", Finds: Marks{"number": "发货"}},
			{Ask: "退回", Finds: Marks{"shoes": "退回"}, Doc: "shoes"},
			{Ask: "上周买的鞋子", Finds: Marks{"shoes": "上周买的鞋子"}},
			{Ask: "退鞋", Finds: Marks{}},
			{Ask: "退回 鞋子", Finds: Marks{"shoes": "退回|鞋子"}},
			{Ask: "運費", Finds: Marks{"shipping": "運費"}},
			{Ask: "运费", Finds: Marks{}},
			{Ask: "北京", Finds: Marks{"university": "北京|北京"}},
			{Ask: "京大", Finds: Marks{"university": "京大"}},
			{Ask: "大学 -北京", Finds: Marks{}},
			{Ask: "发票 OR 运费 OR 運費", Finds: Marks{"names": "发票", "shipping": "運費"}},
			{Ask: "请", Finds: Marks{"number": "请", "names": "请"}},
			{Ask: "李四", How: Part, Finds: Marks{"names": "李四"}},
		},
	}
}

func japanese() Group {
	return Group{
		Kind: "Japanese",
		Texts: []Text{
			{"tokyo", "東京都に住んでいます"},
			{"size", "注文した靴のサイズが合いません"},
			{"narrow", "ｶﾞｷﾞ ＡＢＣ１２ 全角"},
			{"coffee", "コーヒーメーカーの電源が入らない"},
			{"polite", "お世話になっております。請求書を再送していただけますか？"},
		},
		Queries: []Query{
			{Ask: "東京", Finds: Marks{"tokyo": "東京"}, Doc: "tokyo"},
			{Ask: "京都", Finds: Marks{"tokyo": "京都"}},
			{Ask: "東京都", Finds: Marks{"tokyo": "東京都"}},
			{Ask: "京東", Finds: Marks{}},
			{Ask: "住んで", Finds: Marks{"tokyo": "住んで"}},
			{Ask: "東京 住ん", Finds: Marks{"tokyo": "東京|住ん"}},
			{Ask: "東京", How: Part, Finds: Marks{"tokyo": "東京"}},
			{Ask: "サイズ", Finds: Marks{"size": "サイズ"}},
			{Ask: "さいず", Finds: Marks{}},
			{Ask: "ガギ", Finds: Marks{"narrow": "ｶﾞｷﾞ"}, Doc: "narrow"},
			{Ask: "abc12", Finds: Marks{"narrow": "ＡＢＣ１２"}},
			{Ask: "コーヒー", Finds: Marks{"coffee": "コーヒー"}},
			{Ask: "電源 メーカー", Finds: Marks{"coffee": "メーカー|電源"}},
			{Ask: "請求書", Finds: Marks{"polite": "請求書"}},
			{Ask: "請求書を再送", Finds: Marks{"polite": "請求書を再送"}},
			{Ask: "請求書 -再送", Finds: Marks{}},
		},
	}
}

func korean() Group {
	return Group{
		Kind: "Korean",
		Texts: []Text{
			{"route", "서울에서 부산까지 배송되나요?"},
			{"return", "신발을 반품하고 싶습니다"},
			{"jamo", "\u1109\u1165\u110b\u116e\u11af 사무실"},
			{"bill", "세금계산서 발행 부탁드립니다"},
		},
		Queries: []Query{
			{Ask: "서울", Finds: Marks{"route": "서울", "jamo": "\u1109\u1165\u110b\u116e\u11af"}},
			{Ask: "부산", Finds: Marks{"route": "부산"}},
			{Ask: "반품", Finds: Marks{"return": "반품"}, Doc: "return"},
			{Ask: "신발을 반품하고", Finds: Marks{"return": "신발을|반품하고"}},
			{Ask: "신발 싶습니다", Finds: Marks{"return": "신발|싶습니다"}},
			{Ask: "계산서", Finds: Marks{"bill": "계산서"}},
			{Ask: "배송*", Finds: Marks{"route": "배송"}},
			{Ask: "배달", Finds: Marks{}},
		},
	}
}

func southEastAsia() Group {
	return Group{
		Kind: "Thai, Lao, Khmer, Burmese",
		Texts: []Text{
			{"shoes", "ฉันต้องการคืนรองเท้า"},
			{"shop", "หน้าร้านเปิดกี่โมง"},
			{"lao", "ສະບາຍດີ ສິນຄ້າຢູ່ໃສ"},
			{"khmer", "ខ្ញុំចង់ប្តូរទំហំ"},
			{"burmese", "ကျွန်တော် အော်ဒါ ဘယ်ရောက်ပြီလဲ"},
		},
		Queries: []Query{
			{Ask: "รองเท้า", Finds: Marks{"shoes": "รองเท้า"}, Doc: "shoes"},
			{Ask: "คืน", Finds: Marks{"shoes": "คืน"}},
			{Ask: "หน้าร้าน", Finds: Marks{"shop": "หน้าร้าน"}},
			{Ask: "ร้าน", Finds: Marks{"shop": "ร้าน"}},
			{Ask: "ร้าน -เปิด", Finds: Marks{}},
			{Ask: "ສິນຄ້າ", Finds: Marks{"lao": "ສິນຄ້າ"}},
			{Ask: "ចង់", Finds: Marks{"khmer": "ចង់"}},
			{Ask: "အော်ဒါ", Finds: Marks{"burmese": "အော်ဒါ"}},
		},
	}
}

func mixed() Group {
	return Group{
		Kind: "several scripts in one text",
		Texts: []Text{
			{"meeting", "Meeting in 東京 on Freitag, нужно 3 билета"},
			{"api", "API를 호출하면 error 500이 납니다"},
			{"phone", "iPhone 15のケースはありますか"},
			{"wifi", "WiFiが繋がらない"},
			{"shop", "我在Amazon买的USB-C线坏了"},
			{"hinglish", "Mera order kab आएगा bhai"},
			{"greek", "Το Wi‑Fi δεν δουλεύει, error code: Ω-17"},
		},
		Queries: []Query{
			{Ask: "東京 freitag", Finds: Marks{"meeting": "東京|Freitag"}},
			{Ask: "БИЛЕТА", Finds: Marks{"meeting": "билета"}},
			{Ask: "api", Finds: Marks{"api": "API"}, Doc: "api"},
			{Ask: "500", Finds: Marks{"api": "500"}},
			{Ask: "호출 error", Finds: Marks{"api": "호출|error"}},
			{Ask: "iphone-15", Finds: Marks{"phone": "iPhone 15"}},
			{Ask: "15の", Finds: Marks{"phone": "15の"}},
			{Ask: "ケース", Finds: Marks{"phone": "ケース"}},
			{Ask: "wifi", Finds: Marks{"wifi": "WiFi"}},
			{Ask: "amazon", Finds: Marks{"shop": "Amazon"}},
			{Ask: "usb-c", Finds: Marks{"shop": "USB-C"}},
			{Ask: "线坏了", Finds: Marks{"shop": "线坏了"}},
			{Ask: "order आएगा", Finds: Marks{"hinglish": "order|आएगा"}},
			{Ask: "wi-fi error", Finds: Marks{"greek": "Wi‑Fi|error"}},
			{Ask: "ω-17", Finds: Marks{"greek": "Ω-17"}},
		},
	}
}
