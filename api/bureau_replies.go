package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// deskWaits counts what nobody has answered yet: corrections of sessions, and
// what visitors reported. "" is all producers.
func (s *Server) deskWaits(ctx context.Context, producer string) (corrections, reports int, err error) {
	list, err := workshop.Replies(ctx, s.Hub.Web, producer)
	if err != nil {
		return 0, 0, err
	}
	for i := range list {
		if list[i].Reply == nil && !list[i].Visible() && len(list[i].IDs) > 0 {
			corrections++
		}
	}
	reports, err = catalogue.WaitingReports(ctx, s.Hub.Web, producer)
	return corrections, reports, err
}

// correctionsPage answers /bureau/corrections.
func (s *Server) correctionsPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	p, err := s.deskReplies(r, actor)
	if err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Replies(b, p) })
}

func (s *Server) deskReplies(r *http.Request, actor account.Actor) (viewer.RepliesPage, error) {
	p := viewer.RepliesPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Versions: map[string][]viewer.DeskVersion{},
		Notice: deskNotice(r.URL.Query().Get("fait")),
	}
	list, err := workshop.Replies(r.Context(), s.Hub.Web, actor.Producer)
	if err != nil {
		return p, err
	}
	datasets, err := s.datasetsOfLayers(r.Context())
	if err != nil {
		return p, err
	}
	for i := range list {
		c := &list[i]
		if len(c.IDs) == 0 {
			continue
		}
		d := viewer.DeskCorrection{
			ID: c.IDs[0], Dataset: datasets[c.Layer].slug, Title: datasets[c.Layer].title, Layer: c.Layer, Record: c.Record, Field: c.Field,
			InFile: c.InFile, Observed: c.Observed, Day: c.Day, Observers: c.Observers, Session: c.Session, Question: c.Question, Visible: c.Visible(),
		}
		if c.Reply != nil {
			d.Says, d.Reason, d.Version = string(c.Reply.Says), c.Reply.Reason, c.Reply.Number
		}
		p.List = append(p.List, d)
		if _, known := p.Versions[d.Dataset]; !known && d.Dataset != "" {
			if p.Versions[d.Dataset], err = s.publishedVersions(r, d.Dataset); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

type layerOf struct {
	slug  string
	title geo.Text
}

func (s *Server) datasetsOfLayers(ctx context.Context) (map[string]layerOf, error) {
	rows, err := s.Hub.Web.Query(ctx, `select l.name, d.slug, d.title from layer l join dataset d on d.id = l.dataset_id`)
	if err != nil {
		return nil, fmt.Errorf("read the layers: %w", err)
	}
	defer rows.Close()
	m := map[string]layerOf{}
	for rows.Next() {
		var name string
		var l layerOf
		if err := rows.Scan(&name, &l.slug, &l.title); err != nil {
			return nil, err
		}
		m[name] = l
	}
	return m, rows.Err()
}

// replyCorrection answers a correction, or takes the answer back.
func (s *Server) replyCorrection(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	correction, says := id(pathVar(r, "id")), r.PostForm.Get("dit")
	if says == "retirer" {
		err = workshop.WithdrawReply(r.Context(), s.Hub.Desk, actor.ID, actor.Producer, correction)
	} else {
		res := workshop.Response{Says: workshop.ReplyKind(says), Reason: r.PostForm.Get("raison")}
		if res.Says == workshop.Corrected {
			if res.Version, err = s.versionOf(r.Context(), r.PostForm.Get("jeu"), number(r.PostForm.Get("version"))); err != nil {
				return err
			}
			res.Reason = ""
		}
		err = workshop.Reply(r.Context(), s.Hub.Desk, actor.ID, actor.Producer, correction, res)
	}
	if m, refused := refusal(err); refused {
		p, perr := s.deskReplies(r, actor)
		if perr != nil {
			return perr
		}
		p.Refused, p.At, p.Reason = m, correction, r.PostForm.Get("raison")
		return s.writePrivate(w, p.Page, http.StatusUnprocessableEntity, func(b *bytes.Buffer) error { return viewer.Replies(b, p) })
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/bureau/corrections", "fait", "repondu")
	return nil
}

// versionOf gives the id of a version of a dataset by its number.
func (s *Server) versionOf(ctx context.Context, slug string, n int) (geo.VersionID, error) {
	var v geo.VersionID
	err := s.Hub.Web.QueryRow(ctx, `select v.id from version v join dataset d on d.id = v.dataset_id where d.slug = $1 and v.number = $2`, slug, n).Scan(&v)
	if err != nil {
		return 0, fmt.Errorf("version %d of %s: %w", n, slug, errors.Join(geo.ErrNotFound, err))
	}
	return v, nil
}
