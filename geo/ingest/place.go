package ingest

import (
	"fmt"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
)

// enough is the part of the positions that must be in the region for a
// declaration to be believed when nothing speaks for another.
const enough = 0.5

// locate decides in which system a layer is to be read. A declaration counts
// when the data then fall in the region. Where nothing is declared, or only
// the format's default, and one system alone puts the data there, that is it,
// with a note. What was declared is never overruled in silence or otherwise:
// the error proposes what would fit.
func locate(s *survey, o place) (crs.Reading, []geo.Message, error) {
	declared := crs.Reading{SRID: s.layer.CRS.SRID, Axes: s.layer.CRS.Axes}
	if o.axes != nil {
		declared.Axes = *o.axes
	}
	points := placed(s.points)
	switch {
	case o.anywhere && declared.SRID == 0:
		return declared, nil, s.unknown(nil)
	case o.anywhere, len(points) == 0 && declared.SRID != 0:
		return declared, nil, nil
	case len(points) == 0:
		return declared, nil, s.unknown(nil)
	}
	here := crs.Place(points, declared, o.region)
	if declared.SRID != 0 && !here.Known {
		return declared, []geo.Message{geo.Say("crs.untested", "srid", int(declared.SRID))}, nil
	}
	if here.Fits() {
		return declared, nil, nil
	}
	proposals := plausible(crs.Propose(points, declared, o.region), declared)
	if r, note, ok := s.settleAxes(declared, proposals, o); ok {
		return r, []geo.Message{note}, nil
	}
	if here.Known && here.Share() >= enough {
		return declared, []geo.Message{geo.Say("crs.strays", "outside", here.Total-here.Inside, "of", here.Total)}, nil
	}
	if note, ok := onlyOne(s.layer.CRS, declared, proposals, o); ok {
		return proposals[0].Reading, []geo.Message{note}, nil
	}
	return declared, nil, s.refuse(declared, here, proposals, o)
}

// ntfGrads is the old French system in grads from Paris. Degrees of the north
// of France, read as grads, lie in Provence: it is never thought of where
// degrees are declared, and never chosen without a person.
const ntfGrads = 4807

func plausible(list []crs.Placement, declared crs.Reading) []crs.Placement {
	if declared.SRID == 0 {
		return list
	}
	return slices.DeleteFunc(list, func(p crs.Placement) bool { return p.SRID == ntfGrads && declared.SRID != ntfGrads })
}

// A place says where data should be, and what a person said about them.
type place struct {
	region   geo.Box
	anywhere bool
	axes     *crs.Axes
	chosen   bool // a person named the system
}

// placed leaves out the points at (0, 0), which speak for no system.
func placed(points []crs.Point) []crs.Point {
	kept := make([]crs.Point, 0, len(points))
	for _, p := range points {
		if p != (crs.Point{}) {
			kept = append(kept, p)
		}
	}
	return kept
}

// settleAxes chooses the order where a declaration by URN or authority says
// latitude first: half the servers that write it mean it, half do not.
func (s *survey) settleAxes(declared crs.Reading, proposals []crs.Placement, o place) (crs.Reading, geo.Message, bool) {
	other := crs.Reading{SRID: declared.SRID, Axes: 1 - declared.Axes}
	if o.axes != nil || declared.Axes != crs.YX || len(proposals) == 0 || proposals[0].Reading != other {
		return declared, geo.Message{}, false
	}
	return other, geo.Say("crs.axes-settled", "srid", int(other.SRID), "axes", other.Axes.String()), true
}

// onlyOne tells whether a system that was not declared is the only one that
// fits.
func onlyOne(c format.CRS, declared crs.Reading, proposals []crs.Placement, o place) (geo.Message, bool) {
	if len(proposals) != 1 || o.chosen || o.axes != nil || proposals[0].SRID == ntfGrads {
		return geo.Message{}, false
	}
	found := proposals[0].Reading
	switch {
	case found.Axes != declared.Axes && found.SRID == declared.SRID:
		return geo.Message{}, false // swapped coordinates: a person must say so
	case declared.SRID == 0 && c.Declared == "":
		return geo.Say("crs.found-alone", "srid", int(found.SRID)), true
	case declared.SRID == 0:
		return geo.Say("crs.found", "srid", int(found.SRID), "declared", short(c.Declared)), true
	case c.Guessed && found.Axes == crs.XY:
		return geo.Say("crs.redeclared", "srid", int(found.SRID), "default", int(declared.SRID)), true
	}
	return geo.Message{}, false
}

func (s *survey) refuse(declared crs.Reading, here crs.Placement, proposals []crs.Placement, o place) error {
	if declared.SRID == 0 {
		return s.unknown(proposals)
	}
	for _, p := range proposals {
		if p.SRID == declared.SRID && p.Axes != declared.Axes {
			return geo.Bad(nil, "crs.swapped", "layer", s.layer.Name, "srid", int(declared.SRID), "axes", p.Axes.String(), "box", boxText(s.bounds))
		}
	}
	if len(proposals) > 0 && here.Box.Empty() {
		return geo.Bad(nil, "crs.impossible", "layer", s.layer.Name, "srid", int(declared.SRID), "box", boxText(s.bounds), "proposals", options(proposals))
	}
	if len(proposals) > 0 {
		return geo.Bad(nil, "crs.wrong", "layer", s.layer.Name, "srid", int(declared.SRID), "where", boxText(here.Box), "proposals", options(proposals))
	}
	return geo.Bad(nil, "crs.outside-region", "layer", s.layer.Name, "srid", int(declared.SRID), "where", boxText(here.Box),
		"region", boxText(o.region), "inside", here.Inside, "of", here.Total)
}

// unknown says that the system of the layer is not known, what stands where
// it should be declared, and what would fit.
func (s *survey) unknown(proposals []crs.Placement) error {
	declared := short(s.layer.CRS.Declared)
	switch {
	case len(proposals) > 0:
		return geo.Bad(nil, "crs.ambiguous", "layer", s.layer.Name, "box", boxText(s.bounds), "proposals", options(proposals))
	case declared == "":
		return geo.Bad(nil, "crs.undeclared", "layer", s.layer.Name, "box", boxText(s.bounds))
	}
	return geo.Bad(nil, "crs.unknown", "layer", s.layer.Name, "declared", declared, "box", boxText(s.bounds))
}

// options writes proposals as the flags that would choose them.
func options(proposals []crs.Placement) string {
	var list []string
	for _, p := range proposals {
		flag := fmt.Sprintf("--crs %d", p.SRID)
		if p.Axes == crs.YX {
			flag += " --axes yx"
		}
		list = append(list, flag)
		if len(list) == 4 {
			break
		}
	}
	return strings.Join(list, ", ")
}

func boxText(b geo.Box) string {
	if b.Empty() {
		return ""
	}
	return fmt.Sprintf("%.7g %.7g, %.7g %.7g", b.MinX, b.MinY, b.MaxX, b.MaxY)
}

// short cuts a declaration to what fits in a sentence.
func short(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return s
}
