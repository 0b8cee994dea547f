package viewer

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// composed are the beginnings of codes that are put together where they are
// said, with what may follow in data: states, kinds, numbers.
var composed = []string{
	"account.demo-", "account.role-", "air.", "air.advice-", "apply.", "apply.what-", "board.chain-", "board.move-", "board.waits-",
	"bureau.back-", "bureau.csv-", "bureau.done-", "bureau.f-", "bureau.geometry-", "bureau.high-", "bureau.kind-", "bureau.report-", "bureau.rhythm-",
	"bureau.said-", "bureau.sample-", "bureau.says-", "bureau.state-", "bureau.step-", "bureau.type-", "bureau.wait-", "census.as-", "census.line-",
	"chain.", "compare.copy-", "compare.title-", "direction.", "field.", "frequency.", "letter.", "letter.intro-", "letter.title-", "load.step-",
	"match.name-", "news.", "noun.", "osm.step-", "outcome.", "outcome.title-", "pages.phase-", "pages.says-", "pages.seen-", "pages.state-",
	"panel.", "paper.", "portal.choice-", "portal.document-", "portal.facet-", "portal.file-", "portal.kind-", "portal.licence-", "portal.part-",
	"portal.recipe-", "portal.rule-", "portal.sort-", "portal.step-", "problem.", "quality.", "queue.state-",
	"report.after-", "report.field", "report.reply-", "reuse.", "room.hold-", "room.way-", "search.", "status.state-", "verdict.choice-",
	"verdict.said-", "workshop.says.",
}

// grouped are the sentences of "compare." that end in a group of outcomes.
var grouped = []string{"compare.same", "compare.partner", "compare.osm", "compare.differs"}

// endings are what is put behind a code where it is said.
var endings = regexp.MustCompile(`(\.one|\.other|\.all|-named|-unnamed|-anywhere)+$`)

// TestSentencesAreUsed fails for a sentence that nothing says: its code stands
// nowhere in the program, and begins with none of composed.
func TestSentencesAreUsed(t *testing.T) {
	t.Parallel()
	said, text := map[string]bool{}, program(t)
	for _, code := range regexp.MustCompile(`[a-z][A-Za-z0-9_.-]*`).FindAllString(text, -1) {
		said[strings.TrimRight(code, ".-")] = true
	}
	used := func(code string) bool {
		return said[code] || slices.Contains(grouped, code) || slices.ContainsFunc(composed, func(p string) bool { return strings.HasPrefix(code, p) })
	}
	for code := range loaded()["fr"] {
		if !used(code) && !used(endings.ReplaceAllString(code, "")) {
			t.Errorf("nothing says %s", code)
		}
	}
	for _, p := range composed {
		if !strings.Contains(text, p) {
			t.Errorf("nothing puts a code together from %q any more", p)
		}
	}
}

// program is the text of what may say a sentence: sources and templates of the
// whole project, no tests and no dictionaries.
func program(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() {
			if path != ".." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "dist" || name == "e2e" || path == filepath.Join("..", "viewer", "i18n")) {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(name) {
		case ".go", ".ts", ".svelte", ".html", ".sql", ".yaml", ".json":
		default:
			return nil
		}
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".test.ts") {
			return nil
		}
		data, err := os.ReadFile(path)
		b.Write(data)
		b.WriteByte('\n')
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
