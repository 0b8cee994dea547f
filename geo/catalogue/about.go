package catalogue

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// An About is what entries name by id: producers, licences and topics. It is
// small, and read whole.
type About struct {
	Producers map[string]Producer
	Licences  map[string]Licence
	Topics    map[string]Topic
}

// A Producer is an organisation as the portal describes it.
type Producer struct {
	geo.Producer
	Description geo.Text // Markdown
	Kind        string   // region, city, agency, park, association, state, other; "" when nobody said
	SIRET       string
	Territory   []string
}

// A Licence is a row of licences with what the portal says of it.
type Licence struct {
	geo.Licence
	EU       string   // authority URI; "" when the authority has none
	Sentence geo.Text // what it allows
}

// ReadAbout reads all producers, licences and topics.
func ReadAbout(ctx context.Context, db postgis.DB) (*About, error) {
	a := &About{Producers: map[string]Producer{}, Licences: map[string]Licence{}, Topics: map[string]Topic{}}
	rows, err := db.Query(ctx, `select id, title, contact, description, coalesce(kind, ''), coalesce(siret, ''), territory from producer`)
	if err != nil {
		return nil, fmt.Errorf("read the producers: %w", postgis.Kind(err))
	}
	var p Producer
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Title, &p.Contact, &p.Description, &p.Kind, &p.SIRET, &p.Territory}, func() error {
		a.Producers[p.ID] = p
		p = Producer{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the producers: %w", postgis.Kind(err))
	}
	rows, err = db.Query(ctx, `select id, title, coalesce(url, ''), class, coalesce(eu, ''), sentence from licence`)
	if err != nil {
		return nil, fmt.Errorf("read the licences: %w", postgis.Kind(err))
	}
	var l Licence
	_, err = pgx.ForEachRow(rows, []any{&l.ID, &l.Title, &l.URL, &l.Class, &l.EU, &l.Sentence}, func() error {
		a.Licences[l.ID] = l
		l = Licence{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the licences: %w", postgis.Kind(err))
	}
	topics, err := Topics(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, t := range topics {
		a.Topics[t.ID] = t
	}
	return a, nil
}
