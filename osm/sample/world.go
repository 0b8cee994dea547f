package sample

import "slices"

// A world is everything the sample draws, before it becomes OpenStreetMap
// objects and partner files.
type world struct {
	*region
	seed     int64
	roads    []*road // all of the network
	rail     *road
	stations []*commune
	highway  line   // the motorway's axis
	tracks   []line // railway, motorway
	streams  []*road
	net      *network
	blocks   []*block
	sites    []*site
	fields   []*field
	woods    []patch
	scrub    []patch
	builder  builder
	lake     pt
	lakeSize float64 // metres from its middle to its farthest shore
}

func newWorld(seed int64) (*world, error) {
	r, err := newRegion(seed)
	if err != nil {
		return nil, err
	}
	w := &world{region: r, seed: seed}
	between := r.connect() // before the towns: their streets follow these
	track, stations := r.railway()
	w.stations = stations
	w.rail = &road{class: "railway", line: track}
	w.highway = r.motorway()
	w.tracks = []line{track, w.highway}
	w.streams = r.rivers()
	old := slices.Concat(between, w.streams)
	w.roads = slices.Clone(between)
	for _, c := range r.communes {
		c.town = newTown(r, c, old, w.tracks)
		c.town.layStreets()
		w.roads = append(w.roads, c.town.streets...)
	}
	for _, rd := range between[:len(mainRoads)] {
		rd.town = r.communes[0].town
	}
	cutters := slices.Concat(w.roads, w.streams)
	cutters = append(cutters, w.rail, &road{class: "coast", line: simplify(r.coast, 1)})
	for _, rd := range cutters {
		rd.line = simplify(rd.line, .5)
	}
	w.christenStreets()
	w.net = weave(cutters)
	w.blocks = w.net.blocks(250, 90000)
	w.settle()
	w.floodLake()
	w.till()
	w.plant()
	return w, nil
}

// settle gives each block its town and its houses.
func (w *world) settle() {
	var obstacles []line
	for _, st := range w.streams {
		obstacles = append(obstacles, st.line)
	}
	obstacles = append(obstacles, w.tracks...)
	w.builder = builder{r: w.region, obstacles: newSegments(obstacles, 60)}
	kept := w.blocks[:0]
	for _, b := range w.blocks {
		for _, c := range w.communes {
			if c.town.area.grow(60).has(b.centre) && (b.town == nil || dist(c.centre, b.centre) < dist(b.town.centre, b.centre)) {
				b.town = c.town
			}
		}
		if b.town != nil && b.area < 70000 {
			kept = append(kept, b)
		}
	}
	w.blocks = kept
	w.reserve()
	s := newStream(w.seed, "houses")
	for _, b := range w.blocks {
		if b.use == "" {
			w.builder.build(s, b)
		}
	}
	w.outskirts()
	w.developSites()
	var named []*road
	for _, rd := range w.roads {
		if rd.name != "" && rd.town != nil {
			named = append(named, rd)
			rd.town.named = append(rd.town.named, rd)
		}
	}
	number(w.builder.houses, named)
}
