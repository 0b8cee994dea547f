package osm

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"calanque/osm/pbf"
)

// The copy has the shape of every way, and of the ways that people may be
// asked about the nodes too: a file with such a way needs the list of its
// nodes, and each node whole, or an editor could not draw it and an upload
// would break it. To keep that of all ways would double the copy: a region has
// millions of buildings that nobody asks about.

// facilityKeys are those by which a way is a facility, whether a theme selects
// it yet or not.
var facilityKeys = set("amenity", "craft", "emergency", "healthcare", "historic", "office", "public_transport", "shop", "tourism")

// A keptWay is a way whose nodes are kept.
type keptWay struct {
	id   int64
	refs []int64
}

// A keptNode is a node of such a way.
type keptNode struct {
	id       int64
	found    bool
	version  int32
	lon, lat int32
	tags     []byte // JSON, nil for none
}

// lists reports whether the nodes of a way with these tags are kept.
func (x *read) lists(tags []pbf.Tag) bool {
	for _, t := range tags {
		if facilityKeys[t.Key] {
			return true
		}
	}
	if len(x.selections) == 0 || len(tags) == 0 {
		return false
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return slices.ContainsFunc(x.selections, func(s Selection) bool { return s.Matches(m) })
}

// readKept reads the nodes of the kept ways once more, whole: what is drawn
// needs their places alone. Blocks without any are passed over.
func (x *read) readKept(ctx context.Context, to int) error {
	slices.SortFunc(x.kept, func(a, b keptWay) int { return cmp.Compare(a.id, b.id) })
	n := 0
	for i := range x.kept {
		n += len(x.kept[i].refs)
	}
	ids := make([]int64, 0, n)
	for i := range x.kept {
		ids = append(ids, x.kept[i].refs...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	x.keptNodes = make([]keptNode, len(ids))
	if len(ids) == 0 {
		return nil
	}
	within := func(i int) bool { // the block may hold one of them
		if i >= len(x.starts) || x.starts[i] == 0 {
			return true
		}
		at, _ := slices.BinarySearch(ids, x.starts[i])
		return at < len(ids) && (i+1 >= len(x.starts) || x.starts[i+1] == 0 || ids[at] < x.starts[i+1])
	}
	err := x.r.Read(ctx, pbf.ReadOptions{To: to, Want: pbf.Nodes, Only: within}, func(b *pbf.Block) error {
		x.keepNodes(ids, &b.Nodes)
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the nodes of ways: %w", err)
	}
	x.keptNodes = slices.DeleteFunc(x.keptNodes, func(k keptNode) bool { return !k.found })
	return nil
}

// keepNodes fills in the wanted nodes of a block: each is in one block alone.
func (x *read) keepNodes(ids []int64, n *pbf.NodeColumns) {
	if len(n.ID) == 0 {
		return
	}
	at, _ := slices.BinarySearch(ids, n.ID[0])
	for i, id := range n.ID {
		for at < len(ids) && ids[at] < id {
			at++
		}
		if at == len(ids) {
			return
		}
		if ids[at] != id || n.Lon[i] == pbf.Nowhere || n.Lat[i] == pbf.Nowhere {
			continue
		}
		k := keptNode{id: id, found: true, version: n.Version[i], lon: n.Lon[i], lat: n.Lat[i]}
		if tags := n.Tags(i); len(tags) > 0 {
			k.tags = appendTags(nil, sortedTags(tags))
		}
		x.keptNodes[at] = k
	}
}

// writeKept builds osm.build_way and osm.build_node. A way that lacks a node
// in the extract is left out: its list would not be whole.
func (x *read) writeKept(ctx context.Context, pool *pgxpool.Pool) (ways int64, err error) {
	there := make(map[int64]bool, len(x.keptNodes))
	for i := range x.keptNodes {
		there[x.keptNodes[i].id] = true
	}
	whole := slices.DeleteFunc(x.kept, func(k keptWay) bool {
		return len(k.refs) < 2 || slices.ContainsFunc(k.refs, func(ref int64) bool { return !there[ref] })
	})
	err = pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, settings+`;
			create table osm.build_way (like osm.way including constraints);
			create table osm.build_node (like osm.node including constraints)`)
		if err != nil {
			return err
		}
		ways, err = tx.CopyFrom(ctx, pgx.Identifier{"osm", "build_way"}, []string{"id", "nodes"},
			pgx.CopyFromSlice(len(whole), func(i int) ([]any, error) { return []any{whole[i].id, whole[i].refs}, nil }))
		if err != nil {
			return err
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"osm", "build_node"}, []string{"id", "version", "lon", "lat", "tags"},
			pgx.CopyFromSlice(len(x.keptNodes), func(i int) ([]any, error) {
				k := &x.keptNodes[i]
				var version *int32
				if k.version > 0 {
					version = &k.version
				}
				return []any{k.id, version, k.lon, k.lat, json.RawMessage(k.tags)}, nil
			}))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			create unique index build_way_key on osm.build_way (id);
			create unique index build_node_key on osm.build_node (id)`)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("write osm.way: %w", err)
	}
	return ways, nil
}

// selections are those of themes, each once.
func selections(themes []Theme) []Selection {
	list := []Selection{}
	for _, t := range themes {
		if !covers(list, t.Selection) {
			list = append(list, t.Selection)
		}
	}
	return list
}

// covers reports whether a selection is among others.
func covers(list []Selection, s Selection) bool {
	return slices.ContainsFunc(list, func(t Selection) bool { return reflect.DeepEqual(s, t) })
}

// lists reports whether the ways of all themes have their lists of nodes.
func (s *State) lists(themes []Theme) bool {
	return !slices.ContainsFunc(themes, func(t Theme) bool { return !covers(s.listed, t.Selection) })
}
