package viewer

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"calanque/geo"
)

// TestPaperWords holds that whatever is asked on a screen has its short form.
func TestPaperWords(t *testing.T) {
	t.Parallel()
	for code := range loaded()["fr"] {
		if strings.HasPrefix(code, "workshop.ask.") || strings.HasPrefix(code, "workshop.choice.") {
			if _, ok := onPaper(code); !ok {
				t.Errorf("%s is not said on paper", code)
			}
		}
	}
}

func choice(code string, args ...any) ChoiceView { return ChoiceView{Label: geo.Say(code, args...)} }

func TestSheetFill(t *testing.T) {
	t.Parallel()
	unknown := choice("workshop.choice.unknown")
	exists := []ChoiceView{choice("workshop.choice.here"), choice("workshop.choice.elsewhere"), choice("workshop.choice.gone"), unknown}
	s := Sheet{}
	s.Fill("fr", []SheetQuestion{
		{1, geo.Say("workshop.ask.only-open-data", "name", "Lavoir", "producer", text("CRIGE")), exists},
		{2, geo.Say("workshop.ask.only-osm-unnamed", "name", geo.Text{"fr": "point d’eau"}), exists},
		{3, geo.Say("workshop.ask.value", "name", "Lavoir", "field", text("Eau")), []ChoiceView{
			choice("workshop.choice.a", "value", text("Potable")), choice("workshop.choice.b", "value", false), choice("workshop.choice.other"), unknown,
		}},
		{4, geo.Say("workshop.ask.which", "name", "Lavoir"), []ChoiceView{
			choice("workshop.choice.candidate-a", "distance", 12.), choice("workshop.choice.candidate-b-named", "distance", 13., "name", "Puits"),
			choice("workshop.choice.neither"), unknown,
		}},
	})
	var got []string
	for _, r := range s.Rows {
		line := fmt.Sprint(r.Number, " ", r.Name, ": ", r.Ask)
		for _, b := range r.Boxes {
			line += " [" + b.Label + "]"
		}
		got = append(got, spaces.Replace(line))
	}
	want := []string{
		"1 Lavoir: Ce lieu existe-t-il ? [] [] [] []",
		"2 Point d’eau: Ce lieu existe-t-il encore ? [] [] [] []",
		"3 Lavoir: Eau sur place : A « Potable » ou B « non » ? [A] [B] [Autre] []",
		"4 Lavoir: Le même que A (à 12 m) ou que B (« Puits », à 13 m) ? [A] [B] [Aucun] []",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if heads := strings.Join(s.Heads, "|"); heads != "Oui|Oui, mais ailleurs|Non|Je ne sais pas" {
		t.Errorf("columns %s", heads)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	at := []orb.Point{{100, 100}, {100, 100}, {104, 100}, {2, 2}, {300, 300}}
	spread(at, 552, 400)
	for i := range at {
		for j := range i {
			if d := math.Hypot(at[i][0]-at[j][0], at[i][1]-at[j][1]); d < markApart-.5 {
				t.Errorf("marks %d and %d are %.1f apart", i, j, d)
			}
		}
		if at[i][0] < 15 || at[i][1] < 15 {
			t.Errorf("mark %d lies outside: %v", i, at[i])
		}
	}
	if at[4] != (orb.Point{300, 300}) {
		t.Errorf("a mark with room has moved to %v", at[4])
	}
}

// longNames are longer than most that files have.
var longNames = []string{
	"Lavoir", "Borne-fontaine de la traverse du Ponant", "Maison des services au public et de la citoyenneté du quartier des Hauts-de-Sainte-Marguerite",
	"École maternelle et élémentaire publique Joséphine-Baker-et-Germaine-Tillion (annexe)",
}

// extremes are sheets with few and many lines, short and long names, in all
// languages: of each of them, one page must come out of a printer.
func extremes(lang string) SheetPage {
	p := SheetPage{Page: Page{Lang: lang}, Room: Room{Code: "K7M4QX", Title: strings.Repeat("Les équipements du quartier ", 4)}, Address: "hub.example/atelier", Recovery: "6DVY62CFZETH"}
	for n := range 12 {
		p.Cells = append(p.Cells, PlanCell{Number: n + 1, Sign: "sail", Total: n + 1, Area: orb.MultiPolygon{{{{0, 0}, {1000, 0}, {1000, 1000}, {0, 0}}}}})
	}
	p.Example = &SheetExample{Ask: geo.Say("workshop.ask.only-open-data", "name", longNames[2], "producer", "CRIGE"), Choices: []ChoiceView{{Key: 1, Label: geo.Say("workshop.choice.here")}}}
	p.Layout = p.FitIndex(lang)
	p.Index = DrawPlan(lang, Plan{ID: "i", Width: SheetMapWidth, Height: p.Layout.Height, Frame: Frame{PerX: 1, PerY: 1}, Paper: true})
	unknown := choice("workshop.choice.unknown")
	number := 90
	for _, lines := range []int{1, 6, 7, 9, 12} {
		for shape := range 4 {
			s := Sheet{Cell: len(p.Sheets) + 1, Of: 20, Title: Say(lang, "pages.sheet-title", "n", 12, "title", p.Room.Title[:28*(shape+1)]), Bar: ScaleBar{140, 150}, Scale: 5000}
			var questions []SheetQuestion
			for i := range lines {
				number++
				name := longNames[shape]
				q := SheetQuestion{number, geo.Say("workshop.ask.same", "name", name), []ChoiceView{
					choice("workshop.choice.same"), choice("workshop.choice.not-same"), choice("workshop.choice.visit"), unknown,
				}}
				if i%3 == 1 {
					q.Ask = geo.Say("workshop.ask.name", "name", name)
					q.Choices = []ChoiceView{choice("workshop.choice.a", "value", name), choice("workshop.choice.b", "value", name), choice("workshop.choice.other"), unknown}
				}
				questions = append(questions, q)
			}
			s.Fill(lang, questions)
			s.Fit(lang)
			s.Where = CellIndex(lang, p.Cells, 1)
			s.QR, _ = QR("https://hub.example/atelier/K7M4QX/conduite/saisie?feuille=12#5.40000,43.20000,5.41000,43.21000", "QR")
			s.Plan = DrawPlan(lang, Plan{ID: "s", Width: SheetMapWidth, Height: s.Layout.Height, Frame: Frame{PerX: 1, PerY: 1}, Paper: true})
			p.Sheets = append(p.Sheets, s)
		}
	}
	return p
}

var headLinks = regexp.MustCompile(`(?s)<link rel="stylesheet".*?>|<script.*?</script>`)

// TestSheetsFitPaper prints sheets with Chromium, where it is installed.
func TestSheetsFitPaper(t *testing.T) {
	t.Parallel()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed: nothing can be printed")
	}
	pdfinfo, err := exec.LookPath("pdfinfo")
	if err != nil {
		t.Skip("pdfinfo (poppler-utils) is not installed: the pages can't be counted")
	}
	css := ""
	for _, f := range []string{"tokens.css", "style.css", "atelier.css", "paper.css"} {
		b, err := os.ReadFile(filepath.Join("src", f))
		if err != nil {
			t.Fatal(err)
		}
		css += string(b)
	}
	for _, lang := range Languages {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			p := extremes(lang)
			var b bytes.Buffer
			if err := Sheets(&b, p); err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			page := strings.Replace(headLinks.ReplaceAllString(b.String(), ""), "</head>", "<style>"+css+"</style></head>", 1)
			if err := os.WriteFile(filepath.Join(folder, "sheets.html"), []byte(page), 0o600); err != nil {
				t.Fatal(err)
			}
			pdf := filepath.Join(folder, "sheets.pdf")
			out, err := exec.CommandContext(t.Context(), chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+folder+"/profile",
				"--no-pdf-header-footer", "--print-to-pdf="+pdf, "file://"+folder+"/sheets.html").CombinedOutput()
			if err != nil {
				t.Fatalf("chromium: %v: %s", err, out)
			}
			out, err = exec.CommandContext(t.Context(), pdfinfo, pdf).CombinedOutput()
			if want := fmt.Sprintf("Pages:           %d\n", 1+len(p.Sheets)); err != nil || !strings.Contains(string(out), want) {
				t.Errorf("want %s, got %s (%v)", want, out, err)
			}
			if keep := os.Getenv("CALANQUE_KEEP_PDF"); keep != "" {
				if b, err := os.ReadFile(pdf); err == nil {
					_ = os.WriteFile(filepath.Join(keep, lang+".pdf"), b, 0o600)
				}
			}
		})
	}
}
