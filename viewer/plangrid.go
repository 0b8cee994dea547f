package viewer

import "fmt"

// grid draws the lines of squares under the names of streets, and the names of
// columns and rows along the upper and the left side, where no other writing
// goes.
func (d *pen) grid() {
	const inset, room = 11, 20 // of the names, from the side; that a name takes
	for i, c := range d.p.Grid.Columns {
		x, _ := d.xy([2]float64{c.At, d.p.Frame.Y})
		fmt.Fprintf(d, `<path class="m-grid" d="M%.1f 0v%d"/>`, x, d.p.Height)
		if i+1 < len(d.p.Grid.Columns) {
			to, _ := d.xy([2]float64{d.p.Grid.Columns[i+1].At, d.p.Frame.Y})
			if x, to = max(x, 2*inset), min(to, float64(d.p.Width)); to-x >= room {
				d.gridName(c.Name, (x+to)/2, inset)
			}
		}
	}
	for i, r := range d.p.Grid.Rows {
		_, y := d.xy([2]float64{d.p.Frame.X, r.At})
		fmt.Fprintf(d, `<path class="m-grid" d="M0 %.1fh%d"/>`, y, d.p.Width)
		if i+1 < len(d.p.Grid.Rows) {
			_, to := d.xy([2]float64{d.p.Frame.X, d.p.Grid.Rows[i+1].At})
			if y, to = max(y, 2*inset), min(to, float64(d.p.Height)); to-y >= room {
				d.gridName(r.Name, inset, (y+to)/2)
			}
		}
	}
}

func (d *pen) gridName(name string, x, y float64) {
	if name == "" {
		return
	}
	d.taken = append(d.taken, spot{x, y, 12})
	fmt.Fprintf(d, `<text class="m-gn" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x, y+5, name)
}
