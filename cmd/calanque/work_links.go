package main

import (
	"context"
	"encoding/json"
	"time"

	portal "calanque/geo/catalogue"
)

// linksEvery is how often the link of a resource is tried.
const linksEvery = 24 * time.Hour

// checkLinks tries the links that are due, politely and slowly.
func checkLinks(ctx context.Context, w *worker, _ json.RawMessage) error {
	client := portal.NewLinkClient(portal.ClientOptions{About: w.PublicURL})
	found, err := portal.CheckLinks(ctx, w.hub, client, time.Now().Add(-linksEvery), time.Now)
	if found.Tried > 0 {
		w.log.Info("links tried", "tried", found.Tried, "broken", found.Broken, "mended", found.Mended, "unclear", found.Unclear)
	}
	return err
}
