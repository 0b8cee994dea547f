package account

import (
	"context"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// An ERIC is a public internet-access point, where mapping sessions are held.
type ERIC struct {
	ID    string     `yaml:"id"`
	Title string     `yaml:"title"`
	Place [2]float64 `yaml:"place"` // lon, lat in degrees
}

// ericForm is what the id of an ERIC looks like; the database holds the same.
var ericForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Check says what is wrong with an ERIC.
func (e ERIC) Check() error {
	switch {
	case !ericForm.MatchString(e.ID) || e.Title == "":
		return geo.Bad(nil, "account.eric-incomplete", "id", e.ID)
	case e.Place[0] < -180 || e.Place[0] > 180 || e.Place[1] < -90 || e.Place[1] > 90 || e.Place == [2]float64{}:
		return geo.Bad(nil, "account.eric-place", "id", e.ID, "lon", e.Place[0], "lat", e.Place[1])
	}
	return nil
}

// ERICs gives the known ones by id.
func ERICs(ctx context.Context, db postgis.DB) ([]ERIC, error) {
	rows, err := db.Query(ctx, `select id, title, st_x(place), st_y(place) from eric order by id`)
	if err != nil {
		return nil, fmt.Errorf("list the ERICs: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (ERIC, error) {
		var e ERIC
		err := row.Scan(&e.ID, &e.Title, &e.Place[0], &e.Place[1])
		return e, err
	})
}

// PutERIC makes an ERIC known, or what is known of it true.
func PutERIC(ctx context.Context, db postgis.DB, e ERIC) error {
	_, err := db.Exec(ctx, `
		insert into eric (id, title, place) values ($1, $2, st_setsrid(st_point($3, $4), 4326))
		on conflict (id) do update set title = excluded.title, place = excluded.place`,
		e.ID, e.Title, e.Place[0], e.Place[1])
	if err != nil {
		return fmt.Errorf("put ERIC %s: %w", e.ID, postgis.Kind(err))
	}
	return nil
}
