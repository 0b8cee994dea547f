package sample

import "slices"

// The coast is drawn from control points (metres east and north), from west
// to east with land on the left, and crumpled where it is rocky.
var (
	coastWest = line{
		{-33000, 3300},
		{-30000, 3600},
		{-27500, 2300},
		{-25000, 2700},
		{-22000, 500},
		{-19500, 1300},
		{-17000, -900},
		{-14800, -2700},
		{-12600, -2300},
		{-11000, -600},
		{-8800, 800},
		{-6800, 500},
		{-5200, -1100},
		{-4000, -1500},
		{-2600, -900},
		{-1200, -200},
		{-200, 80},
	}
	coastRocky = line{
		{-200, 80},
		{120, -40},
		{330, -200},
		{470, -280},
		{590, -190},
		{640, 0},
		{690, 160},
		{735, 170},
		{760, 0},
		{800, -160},
		{930, -300},
		{1010, -250},
		{1060, -50},
		{1100, 150},
		{1120, 270},
		{1165, 270},
		{1185, 140},
		{1230, -40},
		{1330, -200},
		{1450, -180},
		{1520, -40},
		{1640, 30},
		{1760, 40},
	}
	coastPort = line{
		{1790, 55}, {1815, 130}, {1850, 200}, {1985, 228}, {2120, 240}, {2190, 228}, {2205, 160}, {2262, 148}, {2270, 100},
	}
	coastBeach   = line{{2270, 100}, {2420, 108}, {2650, 130}, {2950, 145}, {3230, 110}, {3400, 40}}
	coastHeights = line{
		{3400, 40},
		{3480, -90},
		{3600, -160},
		{3720, -100},
		{3790, 20},
		{3960, 100},
		{4200, 110},
		{4400, 40},
		{4560, 100},
		{4800, 220},
		{5200, 270},
	}
	coastEast = line{
		{5200, 270},
		{6200, 0},
		{7400, -700},
		{8700, -1700},
		{9600, -1600},
		{10600, -300},
		{12300, 1500},
		{14000, 2300},
		{16200, 2400},
		{18300, 1500},
		{19400, 1900},
		{21000, 3700},
		{23000, 4100},
		{25200, 4600},
		{27400, 7000},
		{29000, 7900},
		{31500, 8300},
		{34000, 10400},
		{36500, 11200},
		{39000, 13000},
	}

	// jetties are the harbour's moles, then its pontoons.
	jetties = []line{
		{{1768, 44}, {1850, 0}, {1960, -6}},
		{{2268, 102}, {2210, 40}, {2120, 10}},
		{{1905, 210}, {1925, 130}},
		{{1985, 227}, {2005, 130}},
		{{2065, 234}, {2085, 140}},
		{{2135, 240}, {2150, 160}},
	}
	islandShapes = []struct {
		name string
		kind string
		rock float64
		ring line
	}{
		{"Île des Goélands", "island", .3, line{{2720, -390}, {2800, -330}, {2930, -350}, {2990, -420}, {2900, -480}, {2780, -470}, {2720, -390}}},
		{"Le Caneton", "islet", .35, line{{1270, -410}, {1310, -380}, {1350, -410}, {1320, -450}, {1270, -410}}},
		{"Île Sainte-Ciane", "island", .4, line{{6100, -4100}, {6900, -3500}, {8300, -3600}, {9100, -4300}, {8500, -4900}, {7200, -5000}, {6300, -4700}, {6100, -4100}}},
		{"Île du Grand Cormoran", "island", .4, line{{-8300, -3300}, {-7700, -2900}, {-6900, -3200}, {-6700, -3800}, {-7500, -4200}, {-8200, -3900}, {-8300, -3300}}},
	}
	coves = []line{
		{{680, 145}, {712, 175}, {745, 160}, {742, 125}, {712, 132}, {692, 122}},
		{{1108, 250}, {1142, 282}, {1178, 255}, {1172, 225}, {1142, 238}, {1116, 226}},
	}
)

// drawCoast gives the mainland's coast, whole, and the islands' rings
// (counterclockwise, so that land is on the left there too). Where the
// crumpled line would cross itself it is drawn again, smoother.
func drawCoast(seed int64) (coast line, islands []line) {
	s := newStream(seed, "coast")
	for rough := 1.0; ; rough *= .8 {
		coast = nil
		west := crumple(s, spline(coastWest, 900, false), .42*rough, 70)
		far := crumple(s, spline(coastEast, 900, false), .42*rough, 70)
		for _, part := range []line{
			west,
			crumple(s, coastRocky, .34*rough, 9)[1:],
			coastPort,
			spline(coastBeach, 20, false)[1:],
			crumple(s, coastHeights, .3*rough, 9)[1:],
			far[1:],
		} {
			coast = append(coast, part...)
		}
		if !coast.crossesItself() {
			break
		}
	}
	for _, i := range islandShapes {
		for rough := i.rock; ; rough *= .7 {
			l := crumple(s, i.ring, rough, 9+boxOf(i.ring).width()/60)
			if !l.crossesItself() {
				l = l[:len(l)-1]
				if area(l) < 0 {
					slices.Reverse(l)
				}
				islands = append(islands, l)
				break
			}
		}
	}
	return coast, islands
}

// mainland closes the coast into a ring far beyond the extract.
func mainland(coast line) line {
	const far = 20000
	return append(slices.Clone(coast),
		pt{extent.X1 + far, coast[len(coast)-1].Y}, pt{extent.X1 + far, extent.Y1 + far},
		pt{extent.X0 - far, extent.Y1 + far}, pt{extent.X0 - far, coast[0].Y})
}
