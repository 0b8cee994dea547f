package format

// A cache remembers the values of a column by their raw bytes: most columns of
// partner data repeat a few hundred values, and what is remembered is neither
// parsed nor allocated again. It turns itself off where values do not repeat.
type cache struct {
	slots   []slot
	tries   int
	hits    int
	useless bool
}

type slot struct {
	raw   []byte
	value any
	hit   bool
}

const (
	cacheSlots  = 1024 // a power of two
	cacheTrial  = 4096 // lookups after which the column is judged
	cacheMaxKey = 64
)

// find gives the slot of the bytes, with hit set when it holds them; nil when
// the column is not cached.
func (c *cache) find(b []byte) *slot {
	if c.useless || len(b) > cacheMaxKey {
		return nil
	}
	if c.slots == nil {
		c.slots = make([]slot, cacheSlots)
	}
	c.tries++
	if c.tries == cacheTrial && c.hits < cacheTrial/4 {
		c.useless, c.slots = true, nil
		return nil
	}
	h := uint32(2166136261)
	for _, x := range b {
		h = (h ^ uint32(x)) * 16777619
	}
	s := &c.slots[(h^h>>15)&(cacheSlots-1)]
	s.hit = len(s.raw) == len(b) && s.raw != nil && string(s.raw) == string(b)
	if s.hit {
		c.hits++
	}
	return s
}

// put stores the value of the bytes in the slot that find gave.
func (c *cache) put(s *slot, b []byte, v any) {
	if s == nil {
		return
	}
	s.raw = append(s.raw[:0], b...)
	s.value = v
}
