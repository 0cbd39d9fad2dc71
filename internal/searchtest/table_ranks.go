package searchtest

func ranks() []Group { return []Group{counts(), lengths(), rarity(), units()} }

func counts() Group {
	return Group{
		Kind: "rank by how often",
		Texts: []Text{
			{"once", "red apple and green pear"},
			{"twice", "red apple and red pear"},
			{"thrice", "red apple red pear red"},
			{"none", "one apple and green plum"},
			{"nothing", "two plums or three figs"},
		},
		Queries: []Query{
			{Ask: "red", Finds: Marks{"once": "red", "twice": "red|red", "thrice": "red|red|red"}, Order: []string{"thrice", "twice", "once"}},
			{Ask: "red green", Finds: Marks{"once": "red|green"}, Order: []string{"once"}},
			{Ask: "red pear", Finds: Marks{"once": "red|pear", "twice": "red|red|pear", "thrice": "red|red|pear|red"}, Order: []string{"thrice", "twice", "once"}},
		},
	}
}

func lengths() Group {
	return Group{
		Kind: "rank by length",
		Texts: []Text{
			{"short", "zinc pipe"},
			{"middle", "a zinc pipe for the house in the garden"},
			{"long", "we talked about many things on that day and at the end of it also about a zinc pipe that somebody had left behind"},
			{"other", "a copper pipe of the same length as the other pipe"},
		},
		Queries: []Query{
			{Ask: "zinc", Finds: Marks{"short": "zinc", "middle": "zinc", "long": "zinc"}, Order: []string{"short", "middle", "long"}},
			{Ask: `"zinc pipe"`, Finds: Marks{"short": "zinc pipe", "middle": "zinc pipe", "long": "zinc pipe"}, Order: []string{"short", "middle", "long"}},
			{Ask: "zi*", Finds: Marks{"short": "zinc", "middle": "zinc", "long": "zinc"}, Order: []string{"short", "middle", "long"}},
		},
	}
}

func rarity() Group {
	return Group{
		Kind: "rank by how rare",
		Texts: []Text{
			{"common", "the order is on the way"},
			{"also", "the order is in the shop"},
			{"again", "the order is at the door"},
			{"rare", "this zebra is at my door"},
			{"both", "the zebra is at the door"},
		},
		Queries: []Query{
			{
				Ask: "the zebra", How: Any,
				Finds: Marks{"common": "the|the", "also": "the|the", "again": "the|the", "rare": "zebra", "both": "the|zebra|the"},
			},
			{Ask: "order zebra", How: Any, Finds: Marks{"common": "order", "also": "order", "again": "order", "rare": "zebra", "both": "zebra"}},
			{Ask: "zebra my", How: Any, Finds: Marks{"rare": "zebra|my", "both": "zebra"}, Order: []string{"rare", "both"}},
			{Ask: "zebra OR shop", Finds: Marks{"rare": "zebra", "both": "zebra", "also": "shop"}},
		},
	}
}

func units() Group {
	return Group{
		Kind: "rank of phrases and prefixes",
		Texts: []Text{
			{"phrase", "fast train and fast train to Rome today"},
			{"once", "a fast train and a slow bus to Rome"},
			{"words", "train that is fast or a bus that is not"},
			{"forms", "trains trained a trainer to train trainees today"},
			{"filler", "nothing of the kind is said in this line"},
		},
		Queries: []Query{
			{Ask: `"fast train"`, Finds: Marks{"phrase": "fast train|fast train", "once": "fast train"}, Order: []string{"phrase", "once"}},
			{
				Ask:   "train*",
				Finds: Marks{"phrase": "train|train", "once": "train", "words": "train", "forms": "trains|trained|trainer|train|trainees"},
			},
			{Ask: `rome "fast train"`, Finds: Marks{"phrase": "fast train|fast train|Rome", "once": "fast train|Rome"}, Order: []string{"phrase", "once"}},
		},
	}
}
