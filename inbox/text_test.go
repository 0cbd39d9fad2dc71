package inbox_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/convostore/convostore/inbox"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct{ text, own, quoted string }{
		{"Hello", "Hello", ""},
		{"Hello\n\nOn Mon, 3 Nov 2025, Ann <a@b.c> wrote:\n> Hi\n> you", "Hello", "On Mon, 3 Nov 2025, Ann <a@b.c> wrote:\n> Hi\n> you"},
		{"Hallo\n\nAm 3.11.2025 um 10:00 schrieb Ann:\n> Hi", "Hallo", "Am 3.11.2025 um 10:00 schrieb Ann:\n> Hi"},
		{"Hello\n\n-----Original Message-----\nFrom: Ann\nHi", "Hello", "-----Original Message-----\nFrom: Ann\nHi"},
		{"Hello\n\nFrom: Ann\nSent: Monday\nTo: Bob\nSubject: Hi\n\nHi", "Hello", "From: Ann\nSent: Monday\nTo: Bob\nSubject: Hi\n\nHi"},
		{"Hello\n> Hi\n> you", "Hello", "> Hi\n> you"},
		{"> How much?\n90 euros.\n> And blue?\nYes.", "> How much?\n90 euros.\n> And blue?\nYes.", ""},
		{"> only a quote", "> only a quote", ""},
		{"On Monday she wrote:\nbuy ten", "On Monday she wrote:\nbuy ten", ""},
		{"From: here on it is mine", "From: here on it is mine", ""},
	} {
		own, quoted := inbox.Split(c.text)
		require.Equal(t, c.own, own, c.text)
		require.Equal(t, c.quoted, quoted, c.text)
	}
}

func TestWordDiff(t *testing.T) {
	parts := inbox.WordDiff("90 euros for ten.", "80 euros for ten, Ann.")
	require.Equal(t, []inbox.DiffPart{
		{Kind: "gone", Text: "90"}, {Kind: "new", Text: "80"}, {Kind: "same", Text: " euros for ten"}, {Kind: "new", Text: ", Ann"}, {Kind: "same", Text: "."},
	}, parts)
	require.Nil(t, inbox.WordDiff("same", "same"))
	require.Nil(t, inbox.WordDiff(strings.Repeat("x ", 40<<10), "y"), "too long to compare")
	for _, text := range []string{"日本語 and é", "\xff broken", "a\r\nb"} {
		var gone, added strings.Builder
		for _, p := range inbox.WordDiff(text, "other "+text) {
			if p.Kind != "new" {
				gone.WriteString(p.Text)
			}
			if p.Kind != "gone" {
				added.WriteString(p.Text)
			}
		}
		require.Equal(t, "other "+gone.String(), added.String(), text)
	}
}

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"**b**":                           "<p><strong>b</strong></p>",
		"a\nb":                            "<p>a<br>\nb</p>",
		"# Title":                         "<h4>Title</h4>",
		"<script>alert(1)</script>":       "<pre>&lt;script&gt;alert(1)&lt;/script&gt;</pre>",
		"a <b onclick=x>c</b>":            "<p>a &lt;b onclick=x&gt;c&lt;/b&gt;</p>",
		"[x](javascript:alert(1))":        "<p>x</p>",
		"[x](JaVaScRiPt:alert(1))":        "<p>x</p>",
		"[x](data:text/html,y)":           "<p>x</p>",
		"[x](/reports)":                   "<p>x</p>",
		"[x](//evil.example)":             "<p>x</p>",
		"[x](https://a.example/?q=\"y)":   `<p><a rel="noopener noreferrer nofollow" target="_blank" href="https://a.example/?q=&#34;y">x</a></p>`,
		"[x](mailto:a@b.example)":         `<p><a rel="noopener noreferrer nofollow" target="_blank" href="mailto:a@b.example">x</a></p>`,
		"![alt](https://a.example/p.png)": `<p><a rel="noopener noreferrer nofollow" target="_blank" href="https://a.example/p.png">Picture: alt</a></p>`,
		"<javascript:alert(1)>":           "<p>javascript:alert(1)</p>",
	} {
		got, ok := inbox.RenderMarkdown(text)
		require.True(t, ok, text)
		require.Equal(t, want, strings.TrimSpace(string(got)), text)
	}
}

// Texts that are hard to read take no time that a person would notice.
func TestMarkdownTime(t *testing.T) {
	for name, text := range map[string]string{
		"quotes": strings.Repeat(">", 60<<10), "brackets": strings.Repeat("[", 60<<10), "stars": strings.Repeat("*a ", 20<<10),
		"lists": strings.Repeat("- ", 30<<10), "ticks": strings.Repeat("`a", 30<<10), "links": strings.Repeat("[a](", 15<<10), "less": strings.Repeat("<a ", 20<<10),
		"tables": strings.Repeat("|", 60<<10) + "\n" + strings.Repeat("|-", 20<<10), "indents": strings.Repeat("  - a\n  ", 6<<10),
		"images": strings.Repeat("![a](", 12<<10), "mails": strings.Repeat("a@b.c ", 10<<10), "underscores": strings.Repeat("_a", 9<<10),
	} {
		begun := time.Now()
		inbox.RenderMarkdown(text)
		took := time.Since(begun)
		t.Logf("%s: %s", name, took)
		require.Less(t, took, 20*time.Second, name)
	}
}

func TestNiceStep(t *testing.T) {
	for _, c := range []struct {
		highest   float64
		whole     bool
		step, top float64
	}{
		{1, true, 1, 1},
		{3, true, 1, 3},
		{5, true, 1, 5},
		{6, true, 2, 6},
		{7, true, 2, 8},
		{99, true, 20, 100},
		{101, true, 50, 150},
		{0.03, false, 0.01, 0.03},
		{0.8, false, 0.2, 0.8},
		{12.5, false, 5, 15},
		{1e9, true, 2e8, 1e9},
	} {
		step, top := inbox.NiceStep(c.highest, c.whole)
		require.InEpsilon(t, c.step, step, 1e-9, "%v", c)
		require.InEpsilon(t, c.top, top, 1e-9, "%v", c)
	}
	for v := 1e-6; v < 1e12; v *= 1.37 {
		step, top := inbox.NiceStep(v, false)
		require.GreaterOrEqual(t, top, v*(1-1e-9))
		require.LessOrEqual(t, math.Round(top/step), 5.0, "%g", v)
	}
}

// TestDecimal: the marks of an axis are short, and have no exponents.
func TestDecimal(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{0: "0", 3 * 0.1: "0.3", 12.5: "12.5", 1234.5678: "1234.57", 8e-7: "0.0000008", 2e6: "2000000"} {
		require.Equal(t, want, inbox.Decimal(v))
	}
	for _, c := range []struct {
		highest float64
		unit    string
		mark    string
	}{
		{0, "", "0"},
		{0.8, "", "0.8"},
		{0.01, "", "0.01"},
		{0.008, ", in thousandths", "8"},
		{0.000_04, ", in thousandths", "0.04"},
		{8e-7, ", in millionths", "0.8"},
	} {
		unit, factor := inbox.Scale(c.highest)
		require.Equal(t, c.unit, unit, "%v", c)
		require.Equal(t, c.mark, inbox.Decimal(c.highest*factor), "%v", c)
	}
}

func TestTimeScale(t *testing.T) {
	t.Parallel()
	for longest, want := range map[time.Duration]string{
		0: "Hours", 2 * time.Hour: "Hours", 59 * time.Minute: "Minutes", 59 * time.Second: "Seconds", 2 * time.Millisecond: "Milliseconds",
	} {
		name, unit := inbox.TimeScale(longest)
		require.Equal(t, want, name)
		require.Less(t, len(inbox.Decimal(float64(longest)/float64(unit))), 8, "what fits beside the axis")
	}
}
