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

// sweepFiles takes away the files that nothing refers to, every hour.
func (a *app) sweepFiles(ctx context.Context, hub *postgis.Hub) error {
	files := a.files()
	tick := time.NewTicker(sweepFilesEvery)
	defer tick.Stop()
	for {
		n, bytes, err := portal.SweepBlobs(ctx, hub.Owner, files, time.Now())
		err = errors.Join(err, files.SweepOnce(time.Now(), keepDownloads, maxDownloadsBytes))
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
