package bench

import "testing"

func BenchmarkAppend(b *testing.B)    { compare(b, caseAppend) }
func BenchmarkAppendKey(b *testing.B) { compare(b, caseAppendKey) }

func BenchmarkAppendMany100(b *testing.B) { compare(b, caseAppendMany) }

func BenchmarkAppendParallel(b *testing.B)                { compare(b, caseAppendParallel) }
func BenchmarkAppendParallelOneConversation(b *testing.B) { compare(b, caseAppendOne) }

func BenchmarkLast50(b *testing.B)     { compare(b, caseLast50) }
func BenchmarkList20(b *testing.B)     { compare(b, caseList20) }
func BenchmarkOverview20(b *testing.B) { compare(b, caseOverview20) }
func BenchmarkThread200(b *testing.B)  { compare(b, caseThread200) }
func BenchmarkGet(b *testing.B)        { compare(b, caseGet) }
func BenchmarkApprove(b *testing.B)    { compare(b, caseApprove) }
func BenchmarkImport100k(b *testing.B) { compare(b, caseImport) }

func compare(b *testing.B, c workCase) {
	for _, d := range databases {
		b.Run(d.name, func(b *testing.B) {
			hand, lib := d.fixtures(b)
			b.Run(sideNames[0], func(b *testing.B) { measure(b, c, hand) })
			b.Run(sideNames[1], func(b *testing.B) { measure(b, c, lib) })
		})
	}
}

func measure(b *testing.B, c workCase, f *fixture) {
	c.setUp(b, f, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	c.do(b, f, b.N)
}
