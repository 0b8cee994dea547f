package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"

	"github.com/jackc/pgx/v5"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// demoReuses are the sample's: one that appears, with a picture, and one that
// waits for a coordinator.
var demoReuses = []struct {
	reuse    catalogue.Reuse
	datasets []string
	accepted bool
}{
	{catalogue.Reuse{
		Title: "Où boire à Roquebelle ?", URL: "https://fontaines.example/", Contest: "Concours régional des réutilisations (exemple)", Lang: "fr",
		Description: "Une **carte pour le téléphone** : la fontaine la plus proche, et si son eau est potable. Elle se met à jour chaque nuit.",
	}, []string{"points-eau"}, true},
	{catalogue.Reuse{
		Title: "Respirer à vélo", URL: "https://respirer.example/", Lang: "fr",
		Description: "L’itinéraire le plus court à vélo, avec l’indice de la qualité de l’air du jour.",
	}, []string{"pistes-cyclables", "indice-air"}, false},
}

// proposeDemoReuses writes the sample's reuses, once: what people decide of
// them afterwards stays.
func (a *app) proposeDemoReuses(ctx context.Context, hub *postgis.Hub) error {
	for _, d := range demoReuses {
		var there bool
		if err := hub.Owner.QueryRow(ctx, `select exists (select from reuse where url = $1)`, d.reuse.URL).Scan(&there); err != nil || there {
			if err != nil {
				return fmt.Errorf("look for the sample's reuses: %w", err)
			}
			continue
		}
		r := d.reuse
		for _, slug := range d.datasets {
			r.Datasets = append(r.Datasets, catalogue.ReuseDataset{Slug: slug})
		}
		if err := a.proposeDemoReuse(ctx, hub, r, d.accepted); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) proposeDemoReuse(ctx context.Context, hub *postgis.Hub, r catalogue.Reuse, accepted bool) error {
	return pgx.BeginFunc(ctx, hub.Owner, func(tx pgx.Tx) error {
		if accepted {
			var b bytes.Buffer
			m := demoPicture()
			if err := png.Encode(&b, m); err != nil {
				return fmt.Errorf("draw the sample's picture: %w", err)
			}
			kept, err := a.files().Put(ctx, &b, 1<<20)
			if err == nil {
				err = catalogue.KeepBlob(ctx, tx, kept)
			}
			if err != nil {
				return err
			}
			r.Picture, r.Width, r.Height = kept.SHA256, m.Rect.Dx(), m.Rect.Dy()
		}
		if _, err := catalogue.ProposeReuse(ctx, tx, r); err != nil || !accepted {
			return err
		}
		_, err := tx.Exec(ctx, `update reuse set state = 'accepted', decided_at = now(), edition = edition + 1 where url = $1 and state = 'proposed'`, r.URL)
		if err != nil {
			return fmt.Errorf("let the sample's reuse appear: %w", err)
		}
		return nil
	})
}

// dropDemoReuses takes the sample's reuses out again.
func dropDemoReuses(ctx context.Context, hub *postgis.Hub) error {
	for _, d := range demoReuses {
		if _, err := hub.Owner.Exec(ctx, `delete from reuse where url = $1`, d.reuse.URL); err != nil {
			return fmt.Errorf("take the sample's reuses out: %w", postgis.Kind(err))
		}
	}
	return nil
}

// demoPicture draws drops of water on a hillside: 640 by 400 pixels.
func demoPicture() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 640, 400))
	sky, hill, sea := color.RGBA{0xe8, 0xf3, 0xf7, 0xff}, color.RGBA{0xd8, 0xc9, 0xa6, 0xff}, color.RGBA{0x0d, 0x4f, 0x70, 0xff}
	for y := range 400 {
		for x := range 640 {
			c := sky
			if float64(y) > 250-60*math.Sin(float64(x)/110) {
				c = hill
			}
			if float64(y) > 330-12*math.Sin(float64(x)/40) {
				c = sea
			}
			m.SetRGBA(x, y, c)
		}
	}
	for _, d := range []struct{ x, y, r float64 }{{180, 170, 46}, {330, 120, 30}, {470, 190, 56}} {
		for y := d.y - 2*d.r; y <= d.y+d.r; y++ {
			for x := d.x - d.r; x <= d.x+d.r; x++ {
				up := max(0, (d.y-y)/(2*d.r)) // a drop is a disc that narrows upwards
				if math.Hypot((x-d.x)/max(0.05, 1-up), min(0, d.y-y)) <= d.r*(1-up*0.1) {
					m.SetRGBA(int(x), int(y), color.RGBA{0x1f, 0x7a, 0xa8, 0xff})
				}
			}
		}
	}
	return m
}
