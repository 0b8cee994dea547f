package sample

import (
	"fmt"
	"os"
	"sort"
	"strconv"
	"testing"
	"time"
)

func TestGen(t *testing.T) {
	dir := os.Getenv("GEN_DIR")
	if dir == "" {
		t.Skip()
	}
	seed, _ := strconv.Atoi(os.Getenv("GEN_SEED"))
	ed, _ := strconv.Atoi(os.Getenv("GEN_ED"))
	start := time.Now()
	m, err := Write(t.Context(), dir, Options{Seed: int64(seed), Today: today, Edition: ed})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Since(start))
	for _, f := range m.Files {
		t.Log(f.Path, f.Bytes, f.Records)
	}
	c := map[string]int{}
	for _, x := range m.Truth {
		c[x.Dataset+" "+x.Side+" "+x.Kind]++
	}
	var ks []string
	for k := range c {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	for _, k := range ks {
		fmt.Println(k, c[k])
	}
}
