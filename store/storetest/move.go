package storetest

func moveTests() subtests { return subtests{} }
