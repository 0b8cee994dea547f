package postgistest

import (
	"testing"
	"time"
)

func TestDatabasesAreSeparate(t *testing.T) {
	t.Parallel()
	a, b := New(t), New(t)
	if _, err := a.Owner.Exec(t.Context(), `create table here (x int)`); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := b.Web.QueryRow(t.Context(), `select to_regclass('here') is not null`).Scan(&there); err != nil {
		t.Fatal(err)
	}
	if there {
		t.Error("a table of one test's database is in another's")
	}
}

func TestEmptyHasNoSchema(t *testing.T) {
	t.Parallel()
	s := require(t)
	url := Empty(t)
	if url == s.cluster.URL() {
		t.Error("the test got the server's own database")
	}
}

func BenchmarkNew(b *testing.B) {
	New(b)
	for b.Loop() {
		begun := time.Now()
		New(b)
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "ms/new")
	}
}
