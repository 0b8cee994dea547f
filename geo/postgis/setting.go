package postgis

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Setting reads a setting of the hub into v, and tells whether it is set.
func Setting(ctx context.Context, db DB, name string, v any) (bool, error) {
	err := db.QueryRow(ctx, `select value from setting where name = $1`, name).Scan(v)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the setting %s: %w", name, Kind(err))
	}
	return true, nil
}

// PutSetting writes a setting of the hub, as JSON.
func PutSetting(ctx context.Context, db DB, name string, v any) error {
	_, err := db.Exec(ctx, `
		insert into setting (name, value) values ($1, $2)
		on conflict (name) do update set value = excluded.value`, name, v)
	if err != nil {
		return fmt.Errorf("write the setting %s: %w", name, Kind(err))
	}
	return nil
}
