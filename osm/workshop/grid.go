package workshop

import (
	"math"
	"regexp"
	"strconv"
	"strings"

	"calanque/geo"
)

// A Grid names the squares of a sheet's map: a letter from west to east, a
// number from north to south. It hangs on the cell alone, which never changes,
// so a square is the same place on every print of the sheet, in any language
// and however large its map came out. EPSG:4326, degrees.
type Grid struct {
	West, North float64 // the corner of A1
	Lon, Lat    float64 // size of a square
}

const (
	gridColumns = 26   // A–Z; the cell lies in the middle
	gridRows    = 40   // 1–40
	gridAcross  = 14   // squares along the longer side of the cell
	leastSquare = 10.0 // metres
)

// NewGrid makes the grid of a cell that has these bounds in degrees.
func NewGrid(west, south, east, north float64) Grid {
	lon, lat := (west+east)/2, (south+north)/2
	degree := earthDegree * math.Cos(lat*math.Pi/180) // metres of a degree to the east
	size := max(leastSquare, max((east-west)*degree, (north-south)*earthDegree)/gridAcross)
	g := Grid{Lon: size / degree, Lat: size / earthDegree}
	g.West, g.North = lon-g.Lon*gridColumns/2, lat+g.Lat*gridRows/2
	return g
}

// Column gives the letter of the nth column from the west and where it begins;
// "" beyond the grid.
func (g Grid) Column(n int) (letter string, west float64) {
	if n >= 0 && n < gridColumns {
		letter = string(rune('A' + n))
	}
	return letter, g.West + float64(n)*g.Lon
}

// Row gives the number of the nth row from the north and where it begins; ""
// beyond the grid.
func (g Grid) Row(n int) (number string, north float64) {
	if n >= 0 && n < gridRows {
		number = strconv.Itoa(n + 1)
	}
	return number, g.North - float64(n)*g.Lat
}

// At gives the column and the row of a place; they may lie beyond the grid.
func (g Grid) At(lon, lat float64) (column, row int) {
	return int(math.Floor((lon - g.West) / g.Lon)), int(math.Floor((g.North - lat) / g.Lat))
}

var squareForm = regexp.MustCompile(`^([A-Za-z])[ .,/-]*([0-9]{1,2})(?:[ .,/-]+([1-9]))?$`)

// Place gives the middle of a square as answers keep positions ("lon lat"):
// "J12", or "J12-3" for a ninth of it, numbered like lines of writing, 1 at the
// north-west and 9 at the south-east. What names no square is refused.
func (g Grid) Place(square string) (string, error) {
	m := squareForm.FindStringSubmatch(strings.TrimSpace(square))
	if m == nil {
		return "", geo.Bad(nil, "paper.wrong-square")
	}
	column := float64(strings.ToUpper(m[1])[0] - 'A')
	row, err := strconv.Atoi(m[2])
	if err != nil || row < 1 || row > gridRows {
		return "", geo.Bad(err, "paper.wrong-square")
	}
	x, y := .5, .5
	if m[3] != "" {
		ninth := int(m[3][0] - '1')
		x, y = (float64(ninth%3)+.5)/3, (float64(ninth/3)+.5)/3
	}
	return point(g.West+(column+x)*g.Lon, g.North-(float64(row-1)+y)*g.Lat), nil
}
