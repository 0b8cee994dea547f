package api

import (
	"context"
	"fmt"
	"html/template"
	"sync"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"calanque/geo"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// drawings keeps maps that many people are shown, under what they are made
// from; a newer copy of OpenStreetMap empties it.
type drawings struct {
	mu   sync.Mutex
	kept map[string]template.HTML
}

// mostDrawings bounds it to about 20 MB.
const mostDrawings = 300

func (d *drawings) get(key string, draw func() (template.HTML, error)) (template.HTML, error) {
	d.mu.Lock()
	svg, ok := d.kept[key]
	d.mu.Unlock()
	if ok {
		return svg, nil
	}
	svg, err := draw()
	if err != nil {
		return "", err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.kept) >= mostDrawings || d.kept == nil {
		d.kept = map[string]template.HTML{}
	}
	d.kept[key] = svg
	return svg, nil
}

func (d *drawings) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kept = nil
}

// planGround reads what a plan stands on. Half a unit of the drawing is the
// tolerance: nobody sees less.
func (s *Server) planGround(ctx context.Context, p *viewer.Plan) ([]viewer.GroundItem, error) {
	f := p.Frame
	box := f.Box(p.Width+2*p.Bleed, p.Height+2*p.Bleed)
	const edge = 30 // units beyond the drawing, so that outlines end outside
	box.MinX, box.MaxX = box.MinX-edge/f.PerX, box.MaxX+edge/f.PerX
	box.MinY, box.MaxY = box.MinY-edge/f.PerY, box.MaxY+edge/f.PerY
	items, err := s.Tiles.Ground(ctx, box, .4/f.PerX)
	if err != nil {
		return nil, err
	}
	list := make([]viewer.GroundItem, 0, len(items))
	for _, i := range items {
		shape, _, err := ewkb.Unmarshal(i.Geometry)
		if err != nil {
			return nil, fmt.Errorf("geometry of the ground: %w", err)
		}
		list = append(list, viewer.GroundItem{Layer: i.Layer, Kind: i.Kind, Name: i.Name, Ref: i.Ref, Rail: i.Rail, Shape: shape})
	}
	return list, nil
}

// sphericalArea reads EWKB of EPSG:4326 and gives it in EPSG:3857.
func sphericalArea(b []byte) (orb.Geometry, error) {
	g, _, err := ewkb.Unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("read an area: %w", err)
	}
	return project(g), nil
}

func project(g orb.Geometry) orb.Geometry {
	switch g := g.(type) {
	case orb.Polygon:
		out := make(orb.Polygon, len(g))
		for i, ring := range g {
			out[i] = make(orb.Ring, len(ring))
			for j, pt := range ring {
				out[i][j] = viewer.Spherical(pt[0], pt[1])
			}
		}
		return out
	case orb.MultiPolygon:
		out := make(orb.MultiPolygon, len(g))
		for i, p := range g {
			out[i] = project(p).(orb.Polygon)
		}
		return out
	}
	return g
}

// planCells turns cells into what plans draw, with their bounds.
func planCells(cells []workshop.Cell) ([]viewer.PlanCell, orb.Bound, error) {
	var list []viewer.PlanCell
	var box orb.Bound
	for i, c := range cells {
		area, err := sphericalArea(c.Area)
		if err != nil {
			return nil, box, err
		}
		if i == 0 {
			box = area.Bound()
		}
		box = box.Union(area.Bound())
		list = append(list, viewer.PlanCell{Number: c.Number, Area: area, Sign: string(c.Sign), Total: c.Tasks})
	}
	return list, box, nil
}

// questionFrame is how much of the town a question shows.
const questionWidth, questionHeight, metresPerUnit = 900, 720, .62

// questionPlan draws where a question is about: two places as A and B where it
// compares them, else the sign of its outcome.
func (s *Server) questionPlan(ctx context.Context, lang string, t *workshop.Task) (out template.HTML, err error) {
	at := viewer.Spherical(t.Lon, t.Lat)
	frame := viewer.Frame{X: at[0], Y: at[1], PerX: 1 / metresPerUnit, PerY: 1 / metresPerUnit}
	marks := []viewer.PlanMark{{At: at, Group: string(t.Kind.Group()), Chosen: true}}
	if t.OSMLon != nil && t.OSMLat != nil && (t.Kind == match.Moved || t.Kind == match.FarReference) {
		other := viewer.Spherical(*t.OSMLon, *t.OSMLat)
		frame = viewer.Fit(orb.Bound{Min: at, Max: at}.Extend(other), questionWidth, questionHeight, 260)
		frame.PerX = min(frame.PerX, 1/metresPerUnit)
		frame.PerY = frame.PerX
		marks = []viewer.PlanMark{{At: at, Letter: "A"}, {At: other, Letter: "B"}}
	}
	key := fmt.Sprint("question ", lang, t.Outcome, t.Kind, frame)
	return s.drawings.get(key, func() (template.HTML, error) {
		plan := viewer.Plan{
			ID: "q", Label: viewer.Say(lang, "pages.map-of", "name", t.Name),
			Width: questionWidth, Height: questionHeight, Frame: frame, Marks: marks,
		}
		if plan.Ground, err = s.planGround(ctx, &plan); err != nil {
			return "", err
		}
		return viewer.DrawPlan(lang, plan), nil
	})
}

// boardPlans draws the area of a session, and over it its cells with how far
// they are.
func (s *Server) boardPlans(ctx context.Context, lang string, session *workshop.Session, cells []viewer.PlanCell, box orb.Bound, size viewer.Plan, ground bool) (under, over template.HTML, err error) {
	size.Frame = viewer.Fit(box, size.Width, size.Height, 26*max(size.Scale, 1))
	o := size
	o.Cells = cells
	over = viewer.DrawPlan(lang, o)
	if !ground {
		return "", over, nil
	}
	key := fmt.Sprint("session ", session.Code, size.Width, size.Height)
	under, err = s.drawings.get(key, func() (template.HTML, error) {
		g := size
		g.ID = "g" + size.ID
		if g.Ground, err = s.planGround(ctx, &g); err != nil {
			return "", err
		}
		return viewer.DrawPlan(lang, g), nil
	})
	return under, over, err
}

// sessionCells gives a session's cells with how far they are.
func (s *Server) sessionCells(ctx context.Context, session *workshop.Session, p *workshop.Progress) ([]viewer.PlanCell, orb.Bound, error) {
	cells, err := workshop.Cells(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return nil, orb.Bound{}, err
	}
	list, box, err := planCells(cells)
	for i := range list {
		for _, c := range p.Cells {
			if c.Number == list[i].Number {
				list[i].Done, list[i].Total, list[i].Paper = c.Answered, c.Tasks, c.Sheet
			}
		}
	}
	return list, box, err
}

// progress turns numbers into what pages show.
func progress(p *workshop.Progress, cells []viewer.PlanCell) viewer.Progress {
	out := viewer.Progress{
		Tasks: p.Tasks, Answered: p.Answered, Left: p.Left, ToVerify: p.ToVerify, Doubtful: p.Doubtful,
		Same: p.Same, Differs: p.Differs, Missing: p.Missing, People: p.People, Cells: cells,
		Seen: p.Seen[workshop.Verified] + p.Seen[workshop.Partially],
	}
	for _, g := range p.Groups {
		out.Groups = append(out.Groups, viewer.GroupView{Sign: string(g.Sign), People: g.People, Done: g.Answered, Total: g.Tasks})
	}
	return out
}

// choices turns a question's answers into what pages show. fields are those of
// the layer, for their labels.
func choices(q *workshop.Question, l *viewer.Layer) []viewer.ChoiceView {
	var list []viewer.ChoiceView
	for _, c := range q.Choices {
		v := viewer.ChoiceView{Key: c.Key, Says: c.Says, Label: c.Label, Value: c.Value}
		for _, name := range c.Fields {
			if name == positionField {
				v.Place = true
			}
			if name == "" || name[0] == '_' {
				continue
			}
			f := geo.Field{Name: name}
			if l != nil {
				for _, known := range l.Fields {
					if known.Name == name {
						f = known
					}
				}
			}
			v.Fields = append(v.Fields, f)
		}
		list = append(list, v)
	}
	return list
}
