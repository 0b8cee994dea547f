package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// Field sheets: a page of A4 at 96 units an inch, so that what is drawn in
// CSS pixels is true on paper.
const (
	unitsPerMetre = 96 / 0.0254
	sheetMargin   = 30  // units around the outermost question
	barWidth      = 140 // units at most
)

// sheetScales are those a sheet may have, 1 to so much, largest first.
var sheetScales = []int{500, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000, 7500, 10000, 15000, 20000, 25000, 50000, 100000, 250000}

// sheetsPage answers /atelier/{code}/feuilles.
func (s *Server) sheetsPage(w http.ResponseWriter, r *http.Request) error {
	session, _, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	ctx := r.Context()
	p := viewer.SheetPage{Page: s.page(r, s.state.Load()), Recovery: recoveryCode(r)}
	p.Room = s.room(&session)
	if p.QR, p.Address, _, err = s.wayIn(r, p.Lang, session.Code); err != nil {
		return err
	}
	tasks, err := workshop.Tasks(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	cells, err := workshop.Cells(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	var box orb.Bound
	if p.Cells, box, err = planCells(cells); err != nil {
		return err
	}
	if p.Example, err = s.example(ctx, &session); err != nil {
		return err
	}
	p.Layout = p.FitIndex(p.Lang)
	if p.Index, err = s.indexPlan(ctx, &p, box); err != nil {
		return err
	}
	base, _ := s.joinAddress(r)
	for _, c := range p.Cells {
		sheet, err := s.sheet(ctx, &p, base, c, tasks)
		if err != nil {
			return err
		}
		p.Sheets = append(p.Sheets, sheet)
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Sheets(b, p) })
}

func (s *Server) example(ctx context.Context, session *workshop.Session) (*viewer.SheetExample, error) {
	q, key, err := workshop.Example(ctx, s.Hub.Web, session.ID)
	if errors.Is(err, geo.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &viewer.SheetExample{Name: q.Task.Name, Ask: q.Ask, Choices: choices(&q, nil), Ticked: key}, nil
}

// indexPlan draws where the sheets lie.
func (s *Server) indexPlan(ctx context.Context, p *viewer.SheetPage, box orb.Bound) (out template.HTML, err error) {
	plan := viewer.Plan{ID: "i", Label: viewer.Say(p.Lang, "pages.map-of-cells"), Width: viewer.SheetMapWidth, Height: p.Layout.Height, Paper: true}
	plan.Frame = viewer.Fit(box, plan.Width, plan.Height, 14)
	for _, c := range p.Cells {
		plan.Cells = append(plan.Cells, viewer.PlanCell{Number: c.Number, Area: c.Area, Sign: c.Sign})
	}
	if plan.Ground, err = s.planGround(ctx, &plan); err != nil {
		return "", err
	}
	return viewer.DrawPlan(p.Lang, plan), nil
}

// sheet makes one cell's: its questions on a map of a round scale that shows
// them all, and their answers as boxes in the order of the keys.
func (s *Server) sheet(ctx context.Context, p *viewer.SheetPage, base string, cell viewer.PlanCell, tasks []workshop.Task) (viewer.Sheet, error) {
	sheet := viewer.Sheet{
		Cell: cell.Number, Sign: cell.Sign, Of: len(p.Cells), Where: viewer.CellIndex(p.Lang, p.Cells, cell.Number),
		Title: viewer.Say(p.Lang, "pages.sheet-title", "n", cell.Number, "title", p.Room.Title),
	}
	plan := viewer.Plan{ID: fmt.Sprintf("s%d", cell.Number), Label: viewer.Say(p.Lang, "pages.cell", "n", cell.Number), Width: viewer.SheetMapWidth, Paper: true}
	var questions []viewer.SheetQuestion
	for i := range tasks {
		if t := &tasks[i]; t.Cell == cell.Number {
			q := t.Question()
			questions = append(questions, viewer.SheetQuestion{Number: t.Number, Ask: q.Ask, Choices: choices(&q, nil)})
			plan.Marks = append(plan.Marks, sheetMarks(t)...)
		}
	}
	sheet.Fill(p.Lang, questions)
	sheet.Fit(p.Lang)
	plan.Height = sheet.Layout.Height
	sheet.Scale, plan.Frame = trueFrame(marksBox(plan.Marks, cell.Area.Bound()), plan.Width, plan.Height)
	sheet.Bar = scaleBar(sheet.Scale)
	plan.Grid = planGrid(cellGrid(cell.Area.Bound()), &plan)
	var err error
	if plan.Ground, err = s.planGround(ctx, &plan); err != nil {
		return sheet, err
	}
	sheet.Plan = viewer.DrawPlan(p.Lang, plan)
	address := fmt.Sprintf("%s/atelier/%s/conduite/saisie?feuille=%d#%s", base, p.Room.Code, cell.Number, bounds(&plan))
	sheet.QR, err = viewer.QR(address, viewer.Say(p.Lang, "pages.sheet", "n", cell.Number))
	return sheet, err
}

// cellGrid is the grid on the sheet of a cell that has these bounds in
// EPSG:3857.
func cellGrid(b orb.Bound) workshop.Grid {
	west, south := viewer.Geographic(b.Min)
	east, north := viewer.Geographic(b.Max)
	return workshop.NewGrid(west, south, east, north)
}

// planGrid is what a map shows of a grid, with a line beyond each side, which
// ends the names of the last squares.
func planGrid(g workshop.Grid, p *viewer.Plan) (out viewer.PlanGrid) {
	b := p.Frame.Box(p.Width, p.Height)
	west, south := viewer.Geographic(orb.Point{b.MinX, b.MinY})
	east, north := viewer.Geographic(orb.Point{b.MaxX, b.MaxY})
	column, row := g.At(west, north)
	lastColumn, lastRow := g.At(east, south)
	for ; column <= lastColumn+1; column++ {
		name, lon := g.Column(column)
		out.Columns = append(out.Columns, viewer.PlanGridLine{At: viewer.Spherical(lon, 0)[0], Name: name})
	}
	for ; row <= lastRow+1; row++ {
		name, lat := g.Row(row)
		out.Rows = append(out.Rows, viewer.PlanGridLine{At: viewer.Spherical(0, lat)[1], Name: name})
	}
	return out
}

// sheetMarks are where a question is on paper: A and B where it compares two
// places.
func sheetMarks(t *workshop.Task) []viewer.PlanMark {
	mark := viewer.PlanMark{At: viewer.Spherical(t.Lon, t.Lat), Number: t.Number}
	if t.OSMLon == nil || t.OSMLat == nil || t.Kind != match.Moved && t.Kind != match.FarReference {
		return []viewer.PlanMark{mark}
	}
	other := viewer.PlanMark{At: viewer.Spherical(*t.OSMLon, *t.OSMLat), Number: t.Number, Letter: "B"}
	mark.Letter = "A"
	return []viewer.PlanMark{mark, other}
}

// marksBox is the box around marks; without any, another.
func marksBox(marks []viewer.PlanMark, without orb.Bound) orb.Bound {
	if len(marks) == 0 {
		return without
	}
	box := orb.Bound{Min: marks[0].At, Max: marks[0].At}
	for _, m := range marks {
		box = box.Extend(m.At)
	}
	return box
}

// trueFrame gives the largest scale at which a box fits the map of a sheet.
func trueFrame(box orb.Bound, width, height int) (int, viewer.Frame) {
	for _, scale := range sheetScales {
		f := viewer.TrueScale(box.Center(), unitsPerMetre/float64(scale))
		if (box.Max[0]-box.Min[0])*f.PerX <= float64(width-2*sheetMargin) && (box.Max[1]-box.Min[1])*f.PerY <= float64(height-2*sheetMargin) {
			return scale, f
		}
	}
	last := sheetScales[len(sheetScales)-1]
	return last, viewer.TrueScale(box.Center(), unitsPerMetre/float64(last))
}

// scaleBar is the longest round length that fits beside the map.
func scaleBar(scale int) viewer.ScaleBar {
	perMetre := unitsPerMetre / float64(scale)
	bar := viewer.ScaleBar{Metres: 3}
	for _, m := range []float64{3, 6, 15, 30, 45, 60, 75, 90, 120, 150, 180, 240, 300, 450, 600, 750, 900, 1200, 1500, 1800, 2400, 3000, 4500, 6000} {
		if m*perMetre <= barWidth {
			bar.Metres = m
		}
	}
	bar.Width = bar.Metres * perMetre
	return bar
}

// bounds writes what a map shows as left,bottom,right,top in degrees, so that
// a photograph of the sheet finds its place without the hub.
func bounds(p *viewer.Plan) string {
	b := p.Frame.Box(p.Width, p.Height)
	w, south := viewer.Geographic(orb.Point{b.MinX, b.MinY})
	e, north := viewer.Geographic(orb.Point{b.MaxX, b.MaxY})
	return fmt.Sprintf("%.6f,%.6f,%.6f,%.6f", w, south, e, north)
}
