package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// queued is the argument of jobs about an upload.
type queued struct {
	Upload int64 `json:"upload"`
}

// sendFile takes a file for a dataset, and puts it in the queue.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Deliver)
	if err != nil {
		return err
	}
	form, file, err := s.receive(w, r, actor, maxSent, dataFile)
	choices, typed := readChoices(form)
	if m, refused := refusal(err); refused {
		return s.writeDeskDataset(w, r, &e, actor, deskStatus(err), m, typed)
	}
	if err == nil && file == nil {
		return s.writeDeskDataset(w, r, &e, actor, http.StatusUnprocessableEntity, geo.Say("upload.none"), typed)
	}
	if err != nil {
		return err
	}
	var id int64
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		if id, err = catalogue.Receive(r.Context(), tx, e.Slug, actor.ID, file.Blob, file.name, choices); err != nil {
			return err
		}
		return s.Enqueue(r.Context(), tx, "load", queued{id})
	})
	if m, refused := refusal(err); refused {
		return s.writeDeskDataset(w, r, &e, actor, deskStatus(err), m, typed)
	}
	if err != nil {
		return err
	}
	seeOther(w, r, fmt.Sprint("/bureau/envois/", id))
	return nil
}

// bringVersion asks for an earlier version back.
func (s *Server) bringVersion(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Publish)
	if err != nil {
		return err
	}
	var id int64
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		if id, err = catalogue.Bring(r.Context(), tx, e.Slug, actor.ID, number(pathVar(r, "number"))); err != nil {
			return err
		}
		return s.Enqueue(r.Context(), tx, "load", queued{id})
	})
	if m, refused := refusal(err); refused {
		return s.writeDeskDataset(w, r, &e, actor, deskStatus(err), m, viewer.DeskChoices{})
	}
	if err != nil {
		return err
	}
	seeOther(w, r, fmt.Sprint("/bureau/envois/", id))
	return nil
}

// delivered gives the upload of the address to who may do something with it.
func (s *Server) delivered(r *http.Request, action account.Action) (catalogue.Upload, account.Actor, error) {
	actor, err := s.deskActor(r)
	if err != nil {
		return catalogue.Upload{}, actor, err
	}
	u, err := catalogue.FindUpload(r.Context(), s.Hub.Web, id(pathVar(r, "id")))
	on := account.Subject{Producer: u.Producer}
	switch {
	case err != nil:
		return u, actor, err
	case !account.May(actor, account.SeeDesk, on):
		return u, actor, fmt.Errorf("upload %d: %w", u.ID, geo.ErrNotFound)
	case !account.May(actor, action, on):
		return u, actor, geo.ErrForbidden
	}
	return u, actor, nil
}

// deliveryPage answers /bureau/envois/{id}: how far it is, what came of it.
func (s *Server) deliveryPage(w http.ResponseWriter, r *http.Request) error {
	u, actor, err := s.delivered(r, account.SeeDesk)
	if err != nil {
		return err
	}
	return s.writeDelivery(w, r, &u, actor, http.StatusOK, geo.Message{})
}

func (s *Server) writeDelivery(w http.ResponseWriter, r *http.Request, u *catalogue.Upload, actor account.Actor, status int, refused geo.Message) error {
	p := viewer.DeliveryPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Refused: refused,
		MayPublish: account.May(actor, account.Publish, account.Subject{Producer: u.Producer}),
		Choices:    typedChoices(u.Choices),
	}
	var err error
	if p.D, err = delivery(u); err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.DeliveryOf(b, p) })
}

// decideDelivery publishes a file, throws it away, or has it read again.
func (s *Server) decideDelivery(w http.ResponseWriter, r *http.Request) error {
	act := pathVar(r, "act")
	action := account.Publish
	if act == "relire" || act == "comparer" {
		action = account.Deliver
	}
	u, actor, err := s.delivered(r, action)
	if err != nil {
		return err
	}
	to := fmt.Sprint("/bureau/envois/", u.ID)
	var done string
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		ctx := r.Context()
		switch act {
		case "publier":
			if err := catalogue.MoveUpload(ctx, tx, u.ID, catalogue.Ready, catalogue.Publishing); err != nil {
				return err
			}
			return s.Enqueue(ctx, tx, "publish", queued{u.ID})
		case "jeter":
			to, done = "/bureau/jeux/"+u.Dataset, "jete"
			return catalogue.MoveUpload(ctx, tx, u.ID, catalogue.Ready, catalogue.Discarded)
		}
		choices, _ := readChoices(r.PostForm)
		if act == "comparer" {
			choices = u.Choices
		}
		again, err := catalogue.Reread(ctx, tx, u.ID, actor.ID, choices)
		if err != nil {
			return err
		}
		to = fmt.Sprint("/bureau/envois/", again)
		return s.Enqueue(ctx, tx, "load", queued{again})
	})
	if m, refused := refusal(err); refused {
		if u, err = catalogue.FindUpload(r.Context(), s.Hub.Web, u.ID); err != nil {
			return err
		}
		return s.writeDelivery(w, r, &u, actor, http.StatusConflict, m)
	}
	if err != nil {
		return err
	}
	seeOther(w, r, to, "fait", done)
	return nil
}

// How often the page of a file hears how far it is, and for how long.
const (
	deliveryPause = 700 * time.Millisecond
	deliveryWatch = 2 * time.Hour
)

// A deliveryEvent is what a page that watches is told.
type deliveryEvent struct {
	State   string `json:"state"`
	Text    string `json:"text"`
	Percent int64  `json:"percent"` // -1 when nobody knows
}

// deliveryEvents answers how far a file is (Server-Sent Events), until a person
// is needed.
func (s *Server) deliveryEvents(w http.ResponseWriter, r *http.Request) error {
	u, _, err := s.delivered(r, account.SeeDesk)
	if err != nil {
		return err
	}
	lang := s.page(r, nil).Lang
	control := http.NewResponseController(w)
	h := w.Header()
	h.Del("Access-Control-Allow-Origin")
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx
	last := ""
	for began := time.Now(); time.Since(began) < deliveryWatch && r.Context().Err() == nil; pause(r, deliveryPause) {
		d, err := delivery(&u)
		if err != nil {
			return nil // the answer has begun
		}
		b, _ := json.Marshal(deliveryEvent{d.State, viewer.Sentence(lang, d.Step), d.Progress()})
		text := ": still there\n\n"
		if string(b) != last {
			last, text = string(b), "data: "+string(b)+"\n\n"
		}
		if control.SetWriteDeadline(time.Now().Add(20*time.Second)) != nil {
			return nil
		}
		if _, err := io.WriteString(w, text); err != nil || control.Flush() != nil || !d.Under() {
			return nil
		}
		if u, err = catalogue.FindUpload(r.Context(), s.Hub.Web, u.ID); err != nil {
			return nil
		}
	}
	return nil
}

// delivery is an upload as its page shows it.
func delivery(u *catalogue.Upload) (viewer.Delivery, error) {
	d := viewer.Delivery{
		ID: u.ID, Dataset: u.Dataset, Title: u.Title, Earlier: u.Kind == "earlier", Number: u.Number, File: u.Filename, Bytes: u.Bytes,
		State: string(u.State), Login: u.Login, At: u.Created, Done: u.Done, Total: u.Total, Before: u.Waiting,
		Failure: u.Failure, HasRejects: len(u.Rejects) > 0, First: u.Now == 0,
		Step: geo.Say("bureau.step-" + string(u.State)),
	}
	switch {
	case u.State == catalogue.Loading && u.Step == "compare":
		d.Step = geo.Say("bureau.step-compare")
	case u.State == catalogue.Loading && u.Step != "":
		d.Step = geo.Say("load.step-"+u.Step, "layer", u.Layer)
	}
	if len(u.Report) > 0 {
		var r ingest.Report
		if err := json.Unmarshal(u.Report, &r); err != nil {
			return d, fmt.Errorf("read the report of upload %d: %w", u.ID, err)
		}
		d.Layers = loadedParts(&r)
	}
	if u.Changes != nil {
		d.Changes = layerDiffs(u.Changes)
		d.Stale = u.State == catalogue.Ready && u.Changes.From != u.Now
		d.First = u.Changes.From == 0
	}
	return d, nil
}

func loadedParts(r *ingest.Report) []viewer.LoadedPart {
	var list []viewer.LoadedPart
	for _, l := range r.Layers {
		p := viewer.LoadedPart{
			Name: l.Name, Source: l.Source, Encoding: l.Encoding, Geometry: l.Geometry, SRID: l.SRID, Key: l.Key, Fields: l.Fields,
			Read: l.Read, Loaded: l.Loaded, Repaired: l.Repaired, Rejected: l.Rejected, NoGeometry: l.NoGeometry, Notes: l.Notes,
		}
		for _, rule := range l.Rules {
			p.Rules = append(p.Rules, viewer.LoadRule{Rejected: rule.Rejected, Count: rule.Count, Record: rule.Record, Example: rule.Example})
		}
		list = append(list, p)
	}
	return list
}

func layerDiffs(c *postgis.Comparison) []viewer.LayerDiff {
	side := func(s *postgis.Side) *viewer.DiffSide {
		if s == nil {
			return nil
		}
		return &viewer.DiffSide{Rows: s.Rows, Rejected: s.Rejected, Repaired: s.Repaired, Geometry: s.Geometry, SRID: s.SRID, Extent: s.Extent}
	}
	var list []viewer.LayerDiff
	for _, l := range c.Layers {
		d := viewer.LayerDiff{
			Name: l.Name, Title: l.Title, Series: l.Series, Keyed: l.Keyed, Before: side(l.Before), After: side(l.After),
			FieldsAdded: l.FieldsAdded, FieldsRemoved: l.FieldsRemoved, Added: l.Added, Removed: l.Removed, Changed: l.Changed, Same: l.Same,
		}
		for _, f := range l.FieldsChanged {
			d.FieldsChanged = append(d.FieldsChanged, viewer.FieldDiff(f))
		}
		for _, s := range l.Samples {
			one := viewer.DiffSample{Kind: s.Kind, Key: s.Key, Name: s.Name, Metres: s.Metres}
			for _, v := range s.Fields {
				one.Values = append(one.Values, viewer.ValueDiff(v))
			}
			d.Samples = append(d.Samples, one)
		}
		list = append(list, d)
	}
	return list
}

// readChoices takes what a person knows better than the file, and what they
// typed.
func readChoices(form map[string][]string) (catalogue.Choices, viewer.DeskChoices) {
	get := func(name string) string {
		if v := form[name]; len(v) > 0 {
			return strings.TrimSpace(v[0])
		}
		return ""
	}
	t := viewer.DeskChoices{
		Key: get("cle"), CRS: get("crs"), Encoding: get("encodage"), Delimiter: get("separateur"), Layer: get("couche"),
		X: get("x"), Y: get("y"), Rejected: get("rejets"), Anywhere: get("ailleurs") == "1",
	}
	c := catalogue.Choices{
		CRS: number(t.CRS), Encoding: t.Encoding, Delimiter: t.Delimiter, Layer: t.Layer, X: t.X, Y: t.Y, Rejected: t.Rejected, Anywhere: t.Anywhere,
	}
	for k := range strings.SplitSeq(t.Key, ",") {
		if k = strings.TrimSpace(k); k != "" {
			c.Key = append(c.Key, k)
		}
	}
	return c, t
}

func typedChoices(c catalogue.Choices) viewer.DeskChoices {
	t := viewer.DeskChoices{
		Key: strings.Join(c.Key, ", "), Encoding: c.Encoding, Delimiter: c.Delimiter, Layer: c.Layer, X: c.X, Y: c.Y,
		Rejected: c.Rejected, Anywhere: c.Anywhere,
	}
	if c.CRS != 0 {
		t.CRS = strconv.Itoa(c.CRS)
	}
	return t
}
