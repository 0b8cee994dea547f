package sample

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// A stream is the randomness of one subject. Each subject has its own, named
// one, so that drawing more of one (a longer street list) moves nothing else,
// and so that the noise of the records knows nothing of the objects' ids.
type stream struct{ *rand.Rand }

func newStream(seed int64, subject string) stream {
	h := fnv.New64a()
	h.Write([]byte(subject))
	return stream{rand.New(rand.NewPCG(uint64(seed), h.Sum64()))}
}

// between draws uniformly from [a, b).
func (s stream) between(a, b float64) float64 { return a + (b-a)*s.Float64() }

// chance is true with probability p.
func (s stream) chance(p float64) bool { return s.Float64() < p }

// weighted draws an index with probability proportional to its weight.
func (s stream) weighted(weights ...float64) int {
	sum := 0.0
	for _, w := range weights {
		sum += w
	}
	x := s.Float64() * sum
	for i, w := range weights {
		if x -= w; x < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func pick[T any](s stream, list []T) T { return list[s.IntN(len(list))] }

// A noise is a smooth random field over the plane: value noise on a unit grid,
// summed in octaves.
type noise struct{ seed uint32 }

func newNoise(seed int64, subject string) noise {
	return noise{newStream(seed, "noise "+subject).Uint32()}
}

func (n noise) lattice(x, y int32) float64 {
	h := uint32(x)*374761393 + uint32(y)*668265263 + n.seed
	h = (h ^ h>>13) * 1274126177
	h = (h ^ h>>15) * 2246822519
	return float64(h^h>>16) / 4294967296
}

func (n noise) value(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int32(fx), int32(fy)
	u, v := smooth(x-fx), smooth(y-fy)
	a := n.lattice(i, j)*(1-u) + n.lattice(i+1, j)*u
	b := n.lattice(i, j+1)*(1-u) + n.lattice(i+1, j+1)*u
	return a*(1-v) + b*v
}

// at gives the field in 0..1, mostly around 0.5; x and y in units of the
// longest wave.
func (n noise) at(x, y float64, octaves int) float64 {
	sum, amplitude, total := 0.0, 0.5, 0.0
	for range octaves {
		sum += amplitude * n.value(x, y)
		total += amplitude
		x, y = x*2.03+17, y*2.03+31
		amplitude /= 2
	}
	return sum / total
}

func smooth(t float64) float64 { return t * t * (3 - 2*t) }

// step rises smoothly from 0 at a to 1 at b.
func step(a, b, x float64) float64 { return smooth(min(1, max(0, (x-a)/(b-a)))) }
