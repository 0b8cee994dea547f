package sample

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"
)

// parkShape is the regional park's limit around the hills behind Roquebelle;
// parkHole is left out of it.
var (
	parkShape = line{
		{-1700, 500},
		{300, 480},
		{1250, 900},
		{1400, 1800},
		{4300, 1900},
		{6500, 4500},
		{9800, 9000},
		{8000, 15500},
		{2000, 18500},
		{-5000, 17000},
		{-9500, 12500},
		{-8800, 7000},
		{-4500, 4200},
	}
	parkHole = pt{2400, 8600}
)

const parkName = "Parc naturel régional des Roches-Blanches"

// park makes the third partner's GeoPackage: the perimeter, and the trails as
// its agents walked them.
func (p *painter) park(ctx context.Context, today time.Time) ([]document, error) {
	s := newStream(p.seed, "park")
	limit := ringOf(s, parkShape, .24, 120)
	hole := make(line, 0, 10)
	for k := range 10 {
		hole = append(hole, parkHole.polar(-float64(k)*math.Pi/5, 900*s.between(.85, 1.15)))
	}
	hole = ringOf(s, hole, .2, 100)
	perimeter := gpkgFeature{
		geometry: multiPolygon([][]line{{limit, hole}, {p.islands[2]}}),
		values:   []any{parkName, "PNR-999", 2012, math.Round((area(limit)-math.Abs(area(hole))+area(p.islands[2]))/1e4*10) / 10},
	}
	var trails []gpkgFeature
	for _, t := range p.trails {
		mid, _ := t.line.at(t.line.length() / 2)
		if !inside(mid, limit) && !detail.has(mid) {
			continue
		}
		trails = append(trails, p.walked(s, t, len(trails)+1, today))
	}
	data, err := geoPackage(ctx, today, []gpkgLayer{
		{"perimetre", "Périmètre du parc (fictif)", "MULTIPOLYGON", []string{"nom TEXT(80)", "code TEXT(10)", "annee_creation INTEGER", "surface_ha REAL"}, []gpkgFeature{perimeter}},
		{"sentiers", "Sentiers balisés (fictifs)", "MULTILINESTRING", []string{"id_sentier TEXT(10)", "nom TEXT(80)", "longueur_m REAL", "difficulte TEXT(12)", "depart TEXT(80)", "denivele_m INTEGER", "balisage TEXT(20)", "maj DATE"}, trails},
	})
	if err != nil {
		return nil, err
	}
	return []document{{"pnr/parc.gpkg", data, 1 + len(trails)}}, nil
}

// ringOf crumples a ring until it does not cross itself.
func ringOf(s stream, ring line, rough, least float64) line {
	for ; ; rough *= .7 {
		l := crumple(s, append(slices.Clone(ring), ring[0]), rough, least)
		if !l.crossesItself() {
			return l[:len(l)-1]
		}
	}
}

// walked is the trail as the park's satellite receiver saw it, a few metres
// off, some in two parts.
func (p *painter) walked(s stream, t *trail, number int, today time.Time) gpkgFeature {
	l := simplify(t.line, 1.5)
	off := pt{s.NormFloat64() * 2, s.NormFloat64() * 2}
	walk := make(line, len(l))
	for i, q := range l {
		walk[i] = q.add(off).add(pt{s.NormFloat64() * 2.2, s.NormFloat64() * 2.2})
	}
	parts := []line{walk}
	if len(walk) > 12 && s.chance(.25) {
		k := len(walk) / 2
		parts = []line{walk[:k+1], walk[k+2:]}
	}
	climb := 0.0
	for i := 1; i < len(l); i++ {
		climb += max(0, p.height(l[i])-p.height(l[i-1]))
	}
	name := t.name
	if name == "" {
		name = fmt.Sprintf("Sentier n° %d", number)
	}
	level := "facile"
	switch {
	case t.line.length() > 1500 || climb > 160:
		level = "difficile"
	case t.line.length() > 800 || climb > 80:
		level = "moyen"
	}
	start := p.neighbourOf(l[0])
	return gpkgFeature{
		geometry: multiLine(parts),
		values: []any{
			fmt.Sprintf("PNR-%03d", number), name, math.Round(t.line.length()*10) / 10, level, start, int(climb),
			pick(s, []string{"jaune", "jaune", "bleu", "rouge", "GR de pays"}), today.AddDate(0, 0, -s.IntN(700)-20).Format("2006-01-02"),
		},
	}
}

// neighbourOf names where a trail starts: the commune's parking or square.
func (p *painter) neighbourOf(at pt) string {
	best := p.communes[0]
	for _, c := range p.communes {
		if inside(at, c.ring) {
			best = c
		}
	}
	return best.name
}
