package viewer

import (
	"html/template"
	"io"
	"time"

	"calanque/geo"
)

// A Reuse is what somebody made of datasets, as pages show it.
type Reuse struct {
	ID            int64
	Title, URL    string
	Description   string // Markdown
	Contest       string
	Lang          string
	Picture       string // address, "" for none
	Width, Height int
	State, Reason string
	At            time.Time
	Edition       int
	Datasets      []Link // those that are public
}

// HTML is the description without anything but words.
func (r Reuse) HTML() (template.HTML, error) { return Markdown(r.Description) }

// A ReusesPage is /reutilisations, or /donnees/{slug}/reutilisations.
type ReusesPage struct {
	Page
	Slug  string   // of the dataset, "" for all
	Title geo.Text // of the dataset
	List  []Reuse
	Older string // address of the next page, ""
}

// A ReuseForm is /reutilisations/proposer.
type ReuseForm struct {
	Page
	Title, Link, Description, Contest, Datasets string // as typed
	Kept                                        string // mark of a picture that has arrived, "" for none
	MaxPicture                                  int64  // bytes
	Stamp                                       string
	Wrong                                       map[string]geo.Message // by field: title, url, datasets, description, contest, picture
	Refused                                     geo.Message            // the form as a whole
}

// reuseFields are the fields of the form in their order, with their ids.
var reuseFields = []string{"title", "url", "datasets", "description", "contest", "picture"}

// A ReuseFault is one field that is wrong.
type ReuseFault struct {
	Field   string
	Message geo.Message
}

// Faults lists the fields that are wrong, in the form's order.
func (p ReuseForm) Faults() (list []ReuseFault) {
	for _, f := range reuseFields {
		if m, ok := p.Wrong[f]; ok {
			list = append(list, ReuseFault{f, m})
		}
	}
	return list
}

// A ReusePage is where whoever proposed a reuse reads what became of it.
type ReusePage struct {
	Page
	Reuse Reuse
	Sent  bool
	Token string
}

// A ReuseDesk is the coordinators' page of proposals.
type ReuseDesk struct {
	Page
	State   string // shown
	States  []string
	List    []Reuse
	CSRF    string
	Refused geo.Message // of the reuse with the id Of
	Of      int64
	Typed   string // reason as typed
	Older   string
}

// WriteReuses writes a page of reuses.
func WriteReuses(w io.Writer, p ReusesPage) error { return render(w, p.Lang, "reuses.html", p) }

// WriteReuseForm writes the form that proposes one.
func WriteReuseForm(w io.Writer, p ReuseForm) error { return render(w, p.Lang, "reuse-form.html", p) }

// WriteReuse writes the page of a proposal.
func WriteReuse(w io.Writer, p ReusePage) error { return render(w, p.Lang, "reuse.html", p) }

// WriteReuseDesk writes the coordinators' page.
func WriteReuseDesk(w io.Writer, p ReuseDesk) error { return render(w, p.Lang, "reuse-desk.html", p) }
