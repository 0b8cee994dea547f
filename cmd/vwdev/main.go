package main

import (
	"calanque/osm/sample"
	"context"
	"fmt"
	"time"
)

func main() {
	m, err := sample.Write(context.Background(), "/tmp/vw/sample", sample.Options{Seed: 1, Today: time.Now()})
	fmt.Println(err, m.Commune, m.Lon, m.Lat)
	for _, f := range m.Files {
		fmt.Println(f.Path, f.Bytes, f.Records)
	}
}
