package pbf

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/qedus/osmpbf/OSMPBF"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"calanque/geo"
)

// A Reader reads one .osm.pbf, any number of times. Its methods may be called
// from several goroutines.
type Reader struct {
	f      *os.File
	name   string // base name, for messages
	size   int64
	places []place // header block, then data blocks
	header Header
}

// Open walks the headers of all blocks and reads the header block. What can't
// be read is a *geo.InputError; the codes begin with "osm.pbf.".
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, geo.Bad(err, "osm.pbf.no-file", "file", path)
	}
	r, err := open(f, filepath.Base(path))
	if err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

func open(f *os.File, name string) (*Reader, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("open extract: %w", err)
	}
	r := &Reader{f: f, name: name, size: st.Size()}
	switch {
	case !st.Mode().IsRegular():
		return nil, geo.Bad(nil, "osm.pbf.not-a-file", "file", name)
	case r.size == 0:
		return nil, geo.Bad(nil, "osm.pbf.empty", "file", name)
	}
	if err := r.walk(); err != nil {
		return nil, err
	}
	if err := r.readHeader(); err != nil {
		return nil, err
	}
	return r, nil
}

// Close closes the file. No Read may be running.
func (r *Reader) Close() error { return r.f.Close() }

// Header is what the file declares about itself.
func (r *Reader) Header() Header { return r.header }

// Blocks is the number of data blocks.
func (r *Reader) Blocks() int { return len(r.places) - 1 }

// Size is the length of the file in bytes.
func (r *Reader) Size() int64 { return r.size }

// Offset is where data block i begins in the file, for progress; Offset of
// Blocks() is the end of the file.
func (r *Reader) Offset(i int) int64 {
	if i >= r.Blocks() {
		return r.size
	}
	return r.places[i+1].at
}

// known are the required features that are understood here.
var known = map[string]bool{"OsmSchema-V0.6": true, "DenseNodes": true}

func (r *Reader) readHeader() error {
	d := &decoder{r: r}
	h := &OSMPBF.HeaderBlock{}
	raw, err := d.unpack(r.places[0])
	if err == nil {
		err = (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, h)
	}
	if err != nil {
		return r.corrupt(0, err)
	}
	for _, f := range h.GetRequiredFeatures() {
		switch {
		case known[f]:
		case f == "HistoricalInformation":
			return geo.Bad(nil, "osm.pbf.history", "file", r.name)
		default:
			return geo.Bad(nil, "osm.pbf.feature", "file", r.name, "feature", f)
		}
	}
	r.header = Header{
		Program: h.GetWritingprogram(), Source: h.GetSource(),
		Sequence: h.GetOsmosisReplicationSequenceNumber(), Feed: h.GetOsmosisReplicationBaseUrl(),
	}
	if t := h.GetOsmosisReplicationTimestamp(); t > 0 {
		r.header.Replication = time.Unix(t, 0).UTC()
	}
	for _, f := range h.GetOptionalFeatures() {
		r.header.Sorted = r.header.Sorted || f == "Sort.Type_then_ID"
	}
	if b := h.GetBbox(); b != nil {
		box := Box{e7(b.GetLeft(), 180e7), e7(b.GetBottom(), 90e7), e7(b.GetRight(), 180e7), e7(b.GetTop(), 90e7)}
		if box.MinLon != Nowhere && box.MinLat != Nowhere && box.MaxLon != Nowhere && box.MaxLat != Nowhere &&
			box.MinLon <= box.MaxLon && box.MinLat <= box.MaxLat {
			r.header.Box = &box
		}
	}
	return nil
}

// ReadOptions say which blocks are read and how. The zero value reads all of
// the file, in parallel, in no order.
type ReadOptions struct {
	From, To int   // data blocks [From, To); To 0 means the end
	Want     Kinds // kinds to decode; 0 means all
	Workers  int   // decoding goroutines; 0 means one a processor
	Ordered  bool  // call back in file order, from the calling goroutine only

	Only func(block int) bool // when set, the blocks that are read
}

// reads reports whether a block is read.
func (o *ReadOptions) reads(block int) bool { return o.Only == nil || o.Only(block) }

// Read decodes blocks and calls fn for each that holds a wanted object:
// without Ordered from several goroutines at once. It returns the first error,
// of decoding (a *geo.InputError with the block's place), of fn or of ctx; no
// goroutine is left when it returns.
func (r *Reader) Read(ctx context.Context, o ReadOptions, fn func(*Block) error) error {
	if o.To <= 0 || o.To > r.Blocks() {
		o.To = r.Blocks()
	}
	if o.Want == 0 {
		o.Want = All
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	o.Workers = max(1, min(o.Workers, o.To-o.From))
	if o.Ordered {
		return r.readOrdered(ctx, o, fn)
	}
	g, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	next.Store(int64(o.From))
	for range o.Workers {
		g.Go(func() error {
			d, b := &decoder{r: r, want: o.Want}, &Block{}
			for {
				i := int(next.Add(1) - 1)
				if i >= o.To {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if !o.reads(i) {
					continue
				}
				if err := d.block(i, b); err != nil {
					return err
				}
				if b.Kinds() == 0 {
					continue
				}
				if err := fn(b); err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// A job is one block on its way through a worker.
type job struct {
	index int
	block *Block
	done  chan error
}

// readOrdered decodes in workers and hands the blocks over in file order. Two
// blocks a worker are in flight, so a slow fn holds the workers back.
func (r *Reader) readOrdered(ctx context.Context, o ReadOptions, fn func(*Block) error) error {
	g, ctx := errgroup.WithContext(ctx)
	free := make(chan *Block, 2*o.Workers)
	for range cap(free) {
		free <- &Block{}
	}
	jobs, queue := make(chan job), make(chan job, cap(free))
	g.Go(func() error { return dispatch(ctx, o, free, jobs, queue) })
	for range o.Workers {
		g.Go(func() error {
			d := &decoder{r: r, want: o.Want}
			for j := range jobs {
				j.done <- d.block(j.index, j.block)
			}
			return nil
		})
	}
	err := collect(ctx, free, queue, fn)
	g.Go(func() error { return err }) // ends the dispatcher when it is not nil
	if gerr := g.Wait(); err == nil {
		err = gerr
	}
	return err
}

// dispatch gives the workers one block after the other, and the queue the same
// jobs in file order.
func dispatch(ctx context.Context, o ReadOptions, free <-chan *Block, jobs, queue chan<- job) error {
	defer close(queue)
	defer close(jobs)
	for i := o.From; i < o.To; i++ {
		if !o.reads(i) {
			continue
		}
		j := job{index: i, done: make(chan error, 1)}
		select {
		case j.block = <-free:
		case <-ctx.Done():
			return ctx.Err()
		}
		queue <- j // never blocks: as many places as blocks
		select {
		case jobs <- j:
		case <-ctx.Done():
			j.done <- ctx.Err()
			return ctx.Err()
		}
	}
	return nil
}

// collect calls fn with the decoded blocks in file order.
func collect(ctx context.Context, free chan<- *Block, queue <-chan job, fn func(*Block) error) error {
	for j := range queue {
		if err := <-j.done; err != nil {
			return err
		}
		if j.block.Kinds() != 0 {
			if err := fn(j.block); err != nil {
				return err
			}
		}
		free <- j.block
	}
	return ctx.Err()
}

// Kinds tells which kinds of objects data block i holds, without decoding
// them. In a sorted file it allows to find the first way or relation by
// halving.
func (r *Reader) Kinds(i int) (k Kinds, err error) {
	p, d := r.places[i+1], &decoder{r: r}
	raw, err := d.unpack(p)
	if err == nil {
		k, err = survey(raw)
	}
	if err != nil {
		return 0, r.corrupt(p.at, err)
	}
	return k, nil
}
