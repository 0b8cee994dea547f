package osm

import (
	"context"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"calanque/geo"
	"calanque/osm/pbf"
)

// An object is what nodes, ways and relations have in common.
type object struct {
	kind    byte // 'n', 'w', 'r'
	id      int64
	version int32
	tags    []pbf.Tag
}

// An areaRelation is a relation that describes an area.
type areaRelation struct {
	object
	members []pbf.Member
	bare    bool // its tags may be on the outer ways
}

// A memberWay is a way that areaRelations have as a member.
type memberWay struct {
	object
	refs    int
	runs    [][]location // broken where nodes are missing
	closed  bool
	missing int
}

// A read is the reading of one extract: relations first, because they say
// which ways must be remembered, then nodes, then ways, then the areas of the
// relations.
type read struct {
	r        *pbf.Reader
	file     string
	progress func(done int64)

	points, lines, areas *spool

	selections []Selection // of the themes
	starts     []int64     // first node of each block, 0 none
	kept       []keptWay
	keptNodes  []keptNode

	places    locations
	relations []areaRelation
	wanted    map[int64]bool // member ways; true when a bare relation has them

	mu       sync.Mutex
	ways     map[int64]*memberWay
	absorbed map[int64]bool // member ways that are no object of their own
	problems []Problem

	nodes, wayCount, relationCount, otherRelations int64
	fromRelations, oldStyle                        atomic.Int64
	newest                                         int64 // Unix seconds
	bytes                                          atomic.Int64
}

// run reads the whole file into the spools.
func (x *read) run(ctx context.Context) error {
	blocks := x.r.Blocks()
	ways, err := x.first(pbf.Ways | pbf.Relations)
	if err != nil {
		return err
	}
	relations, err := x.first(pbf.Relations)
	if err != nil {
		return err
	}
	if err := x.readRelations(ctx, relations, blocks); err != nil {
		return err
	}
	if err := x.readNodes(ctx, ways, min(ways+1, blocks)); err != nil {
		return err
	}
	if err := x.readWays(ctx, ways, relations, min(relations+1, blocks)); err != nil {
		return err
	}
	if err := x.drawRelations(ctx); err != nil {
		return err
	}
	return x.readKept(ctx, min(ways+1, blocks))
}

// first finds the first block that holds one of the kinds.
func (x *read) first(kinds pbf.Kinds) (int, error) {
	var failed error
	i := sort.Search(x.r.Blocks(), func(i int) bool {
		k, err := x.r.Kinds(i)
		if err != nil && failed == nil {
			failed = err
		}
		return k&kinds != 0
	})
	return i, failed
}

// An order checks that the objects of one kind come by growing id.
type order struct {
	last int64
	any  bool
}

func (s *order) next(x *read, kind string, id int64) error {
	switch {
	case id <= 0:
		return geo.Bad(nil, "osm.id-negative", "file", x.file, "kind", kind, "id", id)
	case s.any && id == s.last:
		return geo.Bad(nil, "osm.object-twice", "file", x.file, "kind", kind, "id", id)
	case s.any && id < s.last:
		return geo.Bad(nil, "osm.unsorted", "file", x.file, "kind", kind, "id", id)
	}
	s.last, s.any = id, true
	return nil
}

// misplaced is for blocks that hold other kinds than their place allows.
func (x *read) misplaced(b *pbf.Block) error {
	return geo.Bad(nil, "osm.unsorted", "file", x.file, "kind", "block", "id", b.Index)
}

func (x *read) saw(b *pbf.Block) {
	x.progress(x.bytes.Add(x.r.Offset(b.Index+1) - x.r.Offset(b.Index)))
}

func (x *read) readRelations(ctx context.Context, from, to int) error {
	x.wanted, x.ways, x.absorbed = map[int64]bool{}, map[int64]*memberWay{}, map[int64]bool{}
	if from >= to {
		return nil
	}
	var s order
	return x.r.Read(ctx, pbf.ReadOptions{From: from, To: to, Ordered: true}, func(b *pbf.Block) error {
		if b.Index > from && b.Kinds() != pbf.Relations {
			return x.misplaced(b)
		}
		x.newest = max(x.newest, b.Newest)
		for i, id := range b.Relations.ID {
			if err := s.next(x, "relation", id); err != nil {
				return err
			}
			x.relationCount++
			x.keepRelation(object{'r', id, b.Relations.Version[i], b.Relations.Tags(i)}, b.Relations.Members(i))
		}
		x.saw(b)
		return nil
	})
}

func (x *read) keepRelation(o object, members []pbf.Member) {
	if !relationArea(o.tags) {
		x.otherRelations++
		return
	}
	o.tags = slices.Clone(o.tags)
	_, bare := ownTags(o.tags)
	x.relations = append(x.relations, areaRelation{o, slices.Clone(members), bare})
	for _, m := range members {
		if m.Type == 'w' {
			x.wanted[m.Ref] = x.wanted[m.Ref] || bare
		}
	}
}

func (x *read) readNodes(ctx context.Context, ways, to int) error {
	var s order
	w := newWorker(x)
	x.starts = make([]int64, to)
	err := x.r.Read(ctx, pbf.ReadOptions{To: to, Ordered: true}, func(b *pbf.Block) error {
		if b.Index < ways && b.Kinds() != pbf.Nodes {
			return x.misplaced(b)
		}
		x.newest = max(x.newest, b.Newest)
		n := &b.Nodes
		if len(n.ID) > 0 {
			x.starts[b.Index] = n.ID[0]
		}
		for i, id := range n.ID {
			if err := s.next(x, "node", id); err != nil {
				return err
			}
			w.node(object{'n', id, n.Version[i], n.Tags(i)}, location{n.Lon[i], n.Lat[i]})
		}
		x.nodes += int64(len(n.ID))
		x.saw(b)
		return w.flush()
	})
	x.places.index()
	return err
}

func (x *read) readWays(ctx context.Context, from, relations, to int) error {
	if from >= to {
		return nil
	}
	workers := sync.Pool{New: func() any { return newWorker(x) }}
	spans := make([][2]int64, to-from) // first and last id of each block
	err := x.r.Read(ctx, pbf.ReadOptions{From: from, To: to}, func(b *pbf.Block) error {
		if b.Index > from && b.Index < relations && b.Kinds() != pbf.Ways {
			return x.misplaced(b)
		}
		var s order
		w := workers.Get().(*worker)
		defer workers.Put(w)
		for i, id := range b.Ways.ID {
			if err := s.next(x, "way", id); err != nil {
				return err
			}
			w.way(object{'w', id, b.Ways.Version[i], b.Ways.Tags(i)}, b.Ways.Refs(i))
		}
		if n := len(b.Ways.ID); n > 0 {
			spans[b.Index-from] = [2]int64{b.Ways.ID[0], s.last}
		}
		x.mu.Lock()
		x.wayCount += int64(len(b.Ways.ID))
		x.newest = max(x.newest, b.Newest)
		x.mu.Unlock()
		x.saw(b)
		return w.flush()
	})
	if err != nil {
		return err
	}
	var s order
	for _, span := range spans {
		if span[0] == 0 {
			continue
		}
		if err := s.next(x, "way", span[0]); err != nil {
			return err
		}
		s.last = span[1]
	}
	return nil
}

// drawRelations assembles the areas, then draws the ways that might have been
// part of one of them and are not.
func (x *read) drawRelations(ctx context.Context) error {
	if err := x.each(ctx, len(x.relations), func(w *worker, i int) { w.relation(x.relations[i]) }); err != nil {
		return err
	}
	var late []*memberWay
	for id, m := range x.ways {
		if x.wanted[id] && !x.absorbed[id] {
			late = append(late, m)
		}
	}
	if err := x.each(ctx, len(late), func(w *worker, i int) { w.late(late[i]) }); err != nil {
		return err
	}
	slices.SortFunc(x.problems, func(a, b Problem) int {
		if a.Type != b.Type {
			return int(a.Type) - int(b.Type)
		}
		if a.ID != b.ID {
			if a.ID < b.ID {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Message.Code, b.Message.Code)
	})
	return nil
}

// each calls fn for 0..n-1 from a worker a processor.
func (x *read) each(ctx context.Context, n int, fn func(*worker, int)) error {
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range min(n, processors()) {
		g.Go(func() error {
			w := newWorker(x)
			for {
				i := int(next.Add(1) - 1)
				if i >= n {
					return w.flush()
				}
				fn(w, i)
				if i%64 != 0 {
					continue
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := w.flush(); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// extractAt is the state of OpenStreetMap that the extract shows, and where
// that is said: the header, else the youngest object, else the file's date.
func (x *read) extractAt(fileTime time.Time) (at time.Time, by string) {
	switch h := x.r.Header(); {
	case !h.Replication.IsZero():
		return h.Replication, "header"
	case x.newest > 0:
		return time.Unix(x.newest, 0).UTC(), "objects"
	default:
		return fileTime.UTC().Truncate(time.Second), "file"
	}
}
