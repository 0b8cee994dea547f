package main

import (
	"context"
	"slices"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/tiles"
)

// A reader is somebody who must do something after a change. Its cursor in the
// log is stored, so whatever is killed goes on where it was.
type reader struct {
	name   string
	handle func(context.Context, []postgis.Change) error
	later  bool // only makes what is right already faster: a command does not wait for it
}

// readers lists all that follows from changes, in the order it is done:
// comparisons first, because they change layers that tiles are drawn from.
func (a *app) readers(hub *postgis.Hub) []reader {
	return []reader{
		{name: "match", handle: match.Handle(hub, a.log)},
		{name: "workshop", handle: workshop.Handle(hub, a.log)},
		{name: "places", handle: catalogue.FollowPlaces(hub, a.log)},
		{name: "tiles", handle: tiles.Handle(hub, a.log), later: true},
	}
}

// catchUp does what follows from the changes so far, so that a script that
// waits for a command sees its result.
func (a *app) catchUp(ctx context.Context, hub *postgis.Hub) error {
	return a.drain(ctx, hub, false)
}

// drain brings the readers up to date: all, or those that a command waits for.
func (a *app) drain(ctx context.Context, hub *postgis.Hub, all bool) error {
	for _, r := range a.readers(hub) {
		if r.later && !all {
			continue
		}
		if err := postgis.Drain(ctx, hub.Owner, r.name, r.handle); err != nil {
			return err
		}
	}
	return nil
}

// follow does what follows from every change until ctx ends. What happened
// while nobody followed is caught up first. A reader that fails keeps its
// cursor: the next change tries again.
func (a *app) follow(ctx context.Context, hub *postgis.Hub) error {
	drain := func() {
		if err := a.drain(ctx, hub, true); err != nil && ctx.Err() == nil {
			a.log.Warn("what follows from changes waits", "err", err)
		}
	}
	after, err := postgis.LastChange(ctx, hub.Owner)
	if err != nil {
		return err
	}
	drain()
	return postgis.Follow(ctx, hub.Owner, after, func(changes []postgis.Change) error {
		// What a session tells is for the pages that show it: no reader does anything about it, and a room tells much.
		if slices.ContainsFunc(changes, func(c postgis.Change) bool { return c.Kind != workshop.Kind }) {
			drain()
		}
		return nil
	})
}
