package api

import (
	"context"
	"time"

	"calanque/api/features"
	"calanque/geo"
)

// settle is how long a change must have been the last before files are built:
// a catalogue of many datasets brings one after the other.
const settle = 5 * time.Second

// maxPrebuilt is the largest layer whose files are built before anybody asks
// for them, in features.
const maxPrebuilt = 1_000_000

// prebuild builds the files of each published layer once it has been read, so
// that its page can say what they weigh and nobody waits. Series grow all the
// time: theirs are built when somebody asks. It ends with ctx.
func (s *Server) prebuild(ctx context.Context) {
	if s.Files == nil {
		return
	}
	tick := time.NewTicker(settle)
	defer tick.Stop()
	done, seen := "", ""
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		st := s.state.Load()
		if st == nil || st.tag == done {
			continue
		}
		if st.tag != seen { // not settled yet
			seen = st.tag
			continue
		}
		done = st.tag
		for i := range st.relations {
			if s.state.Load() != st { // begin again with what is there now
				done = ""
				break
			}
			s.prebuildLayer(ctx, &st.relations[i])
		}
	}
}

func (s *Server) prebuildLayer(ctx context.Context, r *geo.Relation) {
	if r.Dataset == "" || r.Life != geo.Snapshot || r.Count > maxPrebuilt {
		return
	}
	for _, f := range features.FileFormats {
		if f.Extension == "geojson" && r.Geom == "" || ctx.Err() != nil {
			continue
		}
		tag := fileEdition(r, f.Extension)
		file, err := s.builtFile(ctx, r, nil, f.Extension, tag)
		if err != nil {
			if ctx.Err() == nil && !features.Stale(err) {
				s.Log.Warn("file not built", "layer", r.Layer, "format", f.Extension, "err", err)
			}
			continue
		}
		file.Close()
	}
}
