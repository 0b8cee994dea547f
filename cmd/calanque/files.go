package main

import (
	"context"
	"errors"
	"time"

	portal "calanque/geo/catalogue" // catalogue is the file's name here
	"calanque/geo/postgis"
)

// sweepFilesEvery is how often files that nobody refers to are taken away.
const sweepFilesEvery = time.Hour

// What is built for downloads is kept that long after it was last asked for,
// and that much of it.
const (
	keepDownloads     = 7 * 24 * time.Hour
	maxDownloadsBytes = 20 << 30
)

// keepDeliveries is how many deliveries of a dataset stay as they were received:
// the published one, and as many to go back to as anybody has asked for.
// Tables of replaced versions go after a day; their files are what a version
// can be loaded from again. All of them would be 8,760 a year of an hourly one.
const keepDeliveries = 5

// sweepFiles takes away the files that nothing refers to, every hour.
func (a *app) sweepFiles(ctx context.Context, hub *postgis.Hub) error {
	files := a.files()
	tick := time.NewTicker(sweepFilesEvery)
	defer tick.Stop()
	for {
		err := postgis.ForgetReceived(ctx, hub.Owner, keepDeliveries)
		_, rerr := portal.SweepReports(ctx, hub.Owner, time.Now())
		_, uerr := portal.SweepReuses(ctx, hub.Owner, time.Now())
		err = errors.Join(err, portal.SweepUploads(ctx, hub.Owner, time.Now()), portal.SweepCensusDrafts(ctx, hub.Owner, time.Now()))
		n, bytes, serr := portal.SweepBlobs(ctx, hub.Owner, files, time.Now())
		err = errors.Join(err, rerr, uerr, serr, files.SweepOnce(time.Now(), keepDownloads, maxDownloadsBytes))
		if err != nil && ctx.Err() == nil {
			a.log.Warn("sweeping files failed", "err", err)
		}
		if n > 0 {
			a.log.Info("files swept", "files", n, "bytes", bytes)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
