package catalogue

import (
	"context"

	"calanque/geo/postgis"
)

// An About is what entries name by id: producers, licences and topics. It is
// small, and read whole.
type About struct {
	Producers map[string]Producer
	Licences  map[string]Licence
	Topics    map[string]Topic
}

// ReadAbout reads all producers, licences and topics.
func ReadAbout(ctx context.Context, db postgis.DB) (*About, error) {
	a := &About{Producers: map[string]Producer{}, Licences: map[string]Licence{}, Topics: map[string]Topic{}}
	producers, err := Producers(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, p := range producers {
		a.Producers[p.ID] = p
	}
	licences, err := StoredLicences(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, l := range licences {
		a.Licences[l.ID] = l
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
