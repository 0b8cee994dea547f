package postgistest

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestFromPreparesOnce(t *testing.T) {
	t.Parallel()
	times := 0
	prepare := func(ctx context.Context, url string) error {
		times++
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, `create table here (x int); insert into here values (1)`)
		return errors.Join(err, conn.Close(ctx))
	}
	rows := func(url string, and string) (n int) {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		if err := conn.QueryRow(t.Context(), `select count(*) from here`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec(t.Context(), and); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 2 {
		if n := rows(From(t, "here", prepare), `insert into here values (2)`); n != 1 {
			t.Errorf("%d rows, want the one that was prepared", n)
		}
	}
	if times != 1 {
		t.Errorf("prepared %d times", times)
	}
}
