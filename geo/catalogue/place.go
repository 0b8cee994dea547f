package catalogue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Gazetteer names the layer whose features are the communes, so that search
// knows them: the key of each is its code INSEE.
type Gazetteer struct {
	Layer string `json:"layer" yaml:"layer"`
	Name  string `json:"name" yaml:"name"` // the field that holds the commune's name
}

// GazetteerSetting is the hub's setting that holds a Gazetteer; the subject of
// the change that says it is another one is the same word.
const GazetteerSetting = "gazetteer"

// FollowPlaces gives the reader of the log that keeps the communes as their
// layer has them.
func FollowPlaces(hub *postgis.Hub, log *slog.Logger) func(context.Context, []postgis.Change) error {
	return func(ctx context.Context, changes []postgis.Change) error {
		var g Gazetteer
		set, err := postgis.Setting(ctx, hub.Owner, GazetteerSetting, &g)
		if err != nil || !set {
			return err
		}
		relations, err := postgis.Relations(ctx, hub.Owner)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(relations, func(r geo.Relation) bool { return r.Layer == g.Layer })
		concerns := func(c postgis.Change) bool {
			return c.Kind == "catalogue" && c.Subject == GazetteerSetting || c.Kind == "dataset" && i >= 0 && c.Subject == relations[i].Dataset
		}
		if i < 0 || !slices.ContainsFunc(changes, concerns) {
			return nil
		}
		n, err := putPlaces(ctx, hub, &relations[i], g.Name)
		if errors.Is(err, geo.ErrInvalid) {
			log.Warn("search does not know the communes", "err", err) // trying again helps nobody: the file must be mended
			return nil
		}
		if err != nil {
			return err
		}
		log.Info("search knows the communes", "layer", g.Layer, "communes", n)
		return nil
	}
}

// putPlaces makes the communes those of the layer. Where nothing has changed
// nothing is written.
func putPlaces(ctx context.Context, hub *postgis.Hub, rel *geo.Relation, name string) (n int64, err error) {
	if !slices.ContainsFunc(rel.Fields, func(f geo.Field) bool { return f.Name == name }) {
		return 0, geo.Bad(nil, "gazetteer.field", "layer", rel.Layer, "field", name)
	}
	from := `(select ` + pgx.Identifier{rel.Key}.Sanitize() + `::text as code, ` + pgx.Identifier{name}.Sanitize() + `::text as name
		from ` + pgx.Identifier{rel.Schema, rel.Table}.Sanitize() + `)`
	err = pgx.BeginFunc(ctx, hub.Owner, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `
			with now as (
				select distinct on (code) code, name from `+from+` f where code ~ '^[0-9][0-9AB][0-9]{3}$' and name <> '' order by code
			), gone as (
				delete from search_place p where p.kind = 'commune' and not exists (select from now where now.code = p.code)
			)
			insert into search_place (code, kind, name, plain, sound)
			select code, 'commune', name, trim(regexp_replace(plain(name), '[^a-z0-9]+', ' ', 'g')), search_sound(name) from now
			where not exists (select from search_place p where (p.code, p.name) = (now.code, now.name))
			on conflict (code) do update set name = excluded.name, plain = excluded.plain, sound = excluded.sound`)
		if err != nil {
			return fmt.Errorf("keep the communes of %s: %w", rel.Layer, postgis.Kind(err))
		}
		if n = tag.RowsAffected(); n == 0 {
			return nil
		}
		// Datasets are found by the names of the places that they cover.
		_, err = tx.Exec(ctx, `select search_refresh((select array_agg(dataset_id) from search_entry e where exists (
			select from unnest(e.areas) a where a ~ '^[0-9]')))`)
		if err != nil {
			return fmt.Errorf("keep the communes of %s: %w", rel.Layer, postgis.Kind(err))
		}
		return nil
	})
	return n, err
}
