package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Producer is an organisation as the catalogue describes it.
type Producer struct {
	geo.Producer
	Description geo.Text // Markdown
	Kind        string   // region, city, agency, park, association, state, other; "" when nobody said
	SIRET       string
	Territory   []string // as of a dataset
	Position    int
}

var producerKinds = []string{"region", "city", "agency", "park", "association", "state", "other"}

var producerFields = []field[Producer]{
	{"title", "title", "coalesce(%s::jsonb, '{}')", func(p *Producer) any { return &p.Title }},
	{"description", "description", "", func(p *Producer) any { return &p.Description }},
	{"kind", "kind", "nullif(%s, '')", func(p *Producer) any { return &p.Kind }},
	{"siret", "siret", "nullif(%s, '')", func(p *Producer) any { return &p.SIRET }},
	{"territory", "territory", "", func(p *Producer) any { return &p.Territory }},
	{"contact", "contact", "", func(p *Producer) any { return &p.Contact }},
	{"position", "position", "", func(p *Producer) any { return &p.Position }},
}

// Producers gives all producers, in the catalogue's order.
func Producers(ctx context.Context, db postgis.DB) ([]Producer, error) {
	rows, err := db.Query(ctx, `
		select id, title, contact, description, coalesce(kind, ''), coalesce(siret, ''), territory, position
		from producer
		order by position, id`)
	if err != nil {
		return nil, fmt.Errorf("read the producers: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Producer])
	if err != nil {
		return nil, fmt.Errorf("read the producers: %w", postgis.Kind(err))
	}
	return list, nil
}

var (
	producerShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	siretShape    = regexp.MustCompile(`^[0-9]{14}$`)
)

// CheckProducer finds what is wrong with a producer's description.
func CheckProducer(p *Producer) Faults {
	var f Faults
	if !producerShape.MatchString(p.ID) {
		f.add("put.slug", "id", p.ID)
	}
	if strings.TrimSpace(p.Title["fr"]) == "" {
		f.add("put.required", "title", "")
	}
	f.text("title", p.Title, maxTitle)
	f.text("description", p.Description, maxText)
	if p.Kind != "" && !slices.Contains(producerKinds, p.Kind) {
		f.add("put.producer-kind", "kind", p.Kind, "known", strings.Join(producerKinds, ", "))
	}
	if p.SIRET != "" && !siretShape.MatchString(p.SIRET) {
		f.add("put.siret", "siret", p.SIRET)
	}
	for _, code := range p.Territory {
		if !territoryShape.MatchString(code) {
			f.add("put.territory", "territory", code)
		}
	}
	f.contact(p.Contact)
	return f
}

// PutProducer makes the description of a producer what p says, and gives what
// changed. A new one is made. Faults are told as Put tells them.
func PutProducer(ctx context.Context, tx pgx.Tx, p Producer, by By) ([]Difference, error) {
	if f := CheckProducer(&p); len(f) > 0 {
		return nil, f
	}
	stored, err := Producers(ctx, tx)
	if err != nil {
		return nil, err
	}
	was, there := Producer{}, false
	if i := slices.IndexFunc(stored, func(s Producer) bool { return s.ID == p.ID }); i >= 0 {
		was, there = stored[i], true
	}
	changed := ProducerOf.Differences(&was, &p)
	if there && len(changed) == 0 {
		return nil, nil
	}
	columns, values, args := assign(producerFields, &p, allOf(producerFields), []any{p.ID})
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	_, err = tx.Exec(ctx, `
		insert into producer (id, `+strings.Join(columns, ", ")+`) values ($1, `+strings.Join(values, ", ")+`)
		on conflict (id) do update set `+strings.Join(set, ", "), args...)
	if err != nil {
		return nil, fmt.Errorf("write producer %s: %w", p.ID, postgis.Kind(err))
	}
	if err := log(ctx, tx, OfProducer, p.ID, changed, by); err != nil {
		return nil, err
	}
	return changed, postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: "producer/" + p.ID})
}
