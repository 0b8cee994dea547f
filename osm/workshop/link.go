package workshop

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A LinkKey signs links by which an editor reads one file of a session without
// an account. It lies with the session, so links outlive a restart of the
// server; RevokeLinks replaces it.
type LinkKey []byte

// Links gives a session's key.
func Links(ctx context.Context, db postgis.DB, session int64) (k LinkKey, err error) {
	if err := db.QueryRow(ctx, `select link_key from session where id = $1`, session).Scan(&k); err != nil {
		return nil, fmt.Errorf("read the key of a session's links: %w", postgis.Kind(err))
	}
	return k, nil
}

// RevokeLinks ends all links to a session's files that were given out.
func RevokeLinks(ctx context.Context, db postgis.DB, code string) error {
	return change(ctx, db, code, "links-revoked", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		_, err := tx.Exec(ctx, `update session set link_key = uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) where id = $1`, s.ID)
		return map[string]any{}, err
	})
}

// Sign makes the token of a link to one file of one session, valid until then.
func (k LinkKey) Sign(session int64, file string, until time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(until.Unix()))
	return base64.RawURLEncoding.EncodeToString(append(b, k.mac(session, file, b)...))
}

func (k LinkKey) mac(session int64, file string, until []byte) []byte {
	m := hmac.New(sha256.New, k)
	_, _ = fmt.Fprintf(m, "%d\n%s\n%x", session, file, until) // a hash takes everything
	return m.Sum(nil)
}

// Opens reports whether a token is of that file and still valid.
func (k LinkKey) Opens(token string, session int64, file string, now time.Time) bool {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(k) == 0 || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], k.mac(session, file, b[:8])) {
		return false
	}
	return now.Before(time.Unix(int64(binary.BigEndian.Uint64(b)), 0))
}
