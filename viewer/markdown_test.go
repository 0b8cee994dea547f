package viewer

import (
	"regexp"
	"strings"
	"testing"

	"calanque/geo"
)

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, want string }{
		{"paragraphs", "Un.\n\nDeux.", "<p>Un.</p>\n<p>Deux.</p>"},
		{"a link", "[eau](https://eau.example)", `<p><a href="https://eau.example" rel="nofollow noreferrer">eau</a></p>`},
		{"a bare link", "voir https://eau.example", `<p>voir <a href="https://eau.example" rel="nofollow noreferrer">https://eau.example</a></p>`},
		{"a script", "<script>alert(1)</script>", ""},
		{"a script in a link", "[x](javascript:alert(1))", "<p>x</p>"},
		{"a picture", "![x](https://other.example/x.png)", "<p></p>"},
		{"a heading is words", "# Gros titre", "Gros titre"},
		{"a style", `<p style="color:red" onclick="x()">a</p>`, ""},
		{"a table", "|a|b|\n|-|-|\n|1|2|", "<table>"},
		{"less than", "a < b & c", "<p>a &lt; b &amp; c</p>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			out, err := Markdown(c.in)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.TrimSpace(string(out))
			if c.want == "" && (strings.Contains(got, "<script") || strings.Contains(got, "style") || strings.Contains(got, "onclick")) || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Où boire.":                   "Où boire.",
		"Les **fontaines**, d’*eau*.": "Les fontaines, d’eau.",
		"- un\n- deux":                "un deux",
		"a < b & c":                   "a < b & c",
		"[x](https://x.example) y":    "x y",
	} {
		if got := PlainText(in); got != want {
			t.Errorf("PlainText(%q): got %q, want %q", in, got, want)
		}
	}
	if got, want := Lead("en", geo.Text{"fr": "Un **mot**.\n\nUn autre."}), "Un mot."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// dangerous is what no page may get from people.
var dangerous = regexp.MustCompile(`(?i)<(script|img|iframe|style|svg|form|input|object|embed|link|meta|base)\b|<[^>]+\s(on[a-z]+|style|src|class|id)\s*=|href="\s*(javascript|data|vbscript):`)

func FuzzMarkdown(f *testing.F) {
	for _, s := range []string{
		"# a", "[x](javascript:alert(1))", "<script>alert(1)</script>", "|a|\n|-|\n|b|", "![x](y)", "<a href=\"x\" onclick=y>", "```\n<b>\n```",
		"[x](data:text/html,<script>)", "<javascript:alert(1)>", "&lt;script&gt;", "[a]: javascript:x\n[a]", "<svg/onload=x>", "https://x.example/\"onmouseover=\"x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		out, err := Markdown(s)
		if err != nil {
			t.Fatal(err)
		}
		if found := dangerous.FindString(string(out)); found != "" {
			t.Errorf("%q lets %q through: %q", s, found, out)
		}
		PlainText(s)
	})
}
