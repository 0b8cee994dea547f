package catalogue

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A ReuseState says whether a reuse appears.
type ReuseState string

// The states of a reuse: only an accepted one is seen by others.
const (
	ReuseProposed  ReuseState = "proposed"
	ReuseAccepted  ReuseState = "accepted"
	ReuseRefused   ReuseState = "refused" // with the reason
	ReuseWithdrawn ReuseState = "withdrawn"
)

// A Reuse is what somebody made of datasets. Who it was is not kept.
type Reuse struct {
	ID          int64
	Title       string
	URL         string
	Description string // Markdown
	Contest     string // that it was made for, ""
	Lang        string // it is written in
	Picture     []byte // SHA-256 of the redrawn picture; nil for none
	Width       int    // of the picture, pixels
	Height      int
	State       ReuseState
	Reason      string
	At          time.Time
	DecidedAt   *time.Time
	Edition     int            // grows with each decision
	Datasets    []ReuseDataset // that it uses
}

// A ReuseDataset is a dataset that a reuse uses.
type ReuseDataset struct {
	Slug  string   `json:"slug"`
	Title geo.Text `json:"title"`
	Open  bool     `json:"open"`
}

// The longest texts of a reuse, in characters.
const (
	maxReuseTitle       = 150
	maxReuseDescription = 4000
	maxReuseURL         = 1000
)

// CheckReuse tidies what people typed and lists what is wrong, by the name of
// the field: "title", "url", "description", "contest".
func CheckReuse(r *Reuse) map[string]geo.Message {
	wrong := map[string]geo.Message{}
	for _, f := range []struct {
		name        string
		text        *string
		least, most int
	}{
		{"title", &r.Title, 3, maxReuseTitle}, {"contest", &r.Contest, 0, maxReuseTitle}, {"description", &r.Description, 0, maxReuseDescription},
	} {
		*f.text = strings.TrimSpace(strings.ReplaceAll(*f.text, "\r\n", "\n"))
		n := utf8.RuneCountInString(*f.text)
		switch {
		case !utf8.ValidString(*f.text) || strings.ContainsRune(*f.text, 0):
			wrong[f.name] = geo.Say("letter.text-unreadable")
		case n < f.least:
			wrong[f.name] = geo.Say("reuse.title-missing", "least", f.least)
		case n > f.most:
			wrong[f.name] = geo.Say("letter.text-long", "most", f.most)
		}
	}
	r.URL = strings.TrimSpace(r.URL)
	if m, ok := checkOuterURL(r.URL); !ok {
		wrong["url"] = m
	}
	return wrong
}

// checkOuterURL tells whether a link leads to the open internet, as far as its
// text says: nothing is asked of it.
func checkOuterURL(s string) (geo.Message, bool) {
	u, err := url.Parse(s)
	switch {
	case s == "":
		return geo.Say("reuse.url-missing"), false
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Opaque != "" || utf8.RuneCountInString(s) > maxReuseURL:
		return geo.Say("reuse.url-bad"), false
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		if !outer(a) {
			return geo.Say("reuse.url-inner"), false
		}
		return geo.Message{}, true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	for _, inner := range []string{"localhost", "local", "internal", "intranet", "lan", "home", "corp", "test", "invalid", "onion", "arpa", "localdomain"} {
		if last == inner {
			return geo.Say("reuse.url-inner"), false
		}
	}
	// Hosts without a point are inner names; a last part of figures is an IPv4 address in disguise (127.1, 0x7f.1).
	if !strings.Contains(host, ".") || last == "" || last[0] >= '0' && last[0] <= '9' {
		return geo.Say("reuse.url-inner"), false
	}
	return geo.Message{}, true
}

// FindDatasets gives the public datasets that lines of text name, by their
// address, the end of it, or their title in any language, and the lines that
// name none.
func FindDatasets(ctx context.Context, db postgis.DB, lines []string) (found []ReuseDataset, unknown []string, err error) {
	seen := map[string]bool{}
	for _, line := range lines {
		slug := line
		if i := strings.Index(line, "/donnees/"); i >= 0 {
			slug, _, _ = strings.Cut(line[i+len("/donnees/"):], "/")
			slug, _, _ = strings.Cut(slug, "?")
			slug, _, _ = strings.Cut(slug, "#")
		}
		var d ReuseDataset
		err := db.QueryRow(ctx, `
			select d.slug, d.title
			from public_dataset d
			where d.slug = lower($1) or exists (select from jsonb_each_text(d.title) t where public.plain(t.value) = public.plain($2))
				or exists (select from former_slug f where f.dataset_id = d.id and f.slug = lower($1))
			order by d.slug = lower($1) desc, d.id
			limit 1`, slug, line).Scan(&d.Slug, &d.Title)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			unknown = append(unknown, line)
		case err != nil:
			return nil, nil, fmt.Errorf("find the datasets of a reuse: %w", postgis.Kind(err))
		case !seen[d.Slug]:
			d.Open, seen[d.Slug] = true, true
			found = append(found, d)
		}
	}
	return found, unknown, nil
}

// ProposeReuse keeps what CheckReuse found right until a coordinator decides.
// It returns the secret end of the address where its sender reads what became
// of it; only its hash is kept.
func ProposeReuse(ctx context.Context, tx pgx.Tx, r Reuse) (token string, err error) {
	token, sum := newToken()
	var id int64
	err = tx.QueryRow(ctx, `
		insert into reuse (token, title, url, description, contest, lang, picture_sha256, picture_width, picture_height)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8::int, 0), nullif($9::int, 0))
		returning id`, sum, r.Title, r.URL, r.Description, r.Contest, r.Lang, r.Picture, r.Width, r.Height).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("keep a reuse: %w", postgis.Kind(err))
	}
	for _, d := range r.Datasets {
		_, err := tx.Exec(ctx, `
			insert into reuse_dataset (reuse_id, dataset_id)
			select $1, id from public_dataset where slug = $2
			on conflict do nothing`, id, d.Slug)
		if err != nil {
			return "", fmt.Errorf("keep a reuse of %s: %w", d.Slug, postgis.Kind(err))
		}
	}
	return token, nil
}

// A ReuseFilter selects reuses. What is left empty selects all.
type ReuseFilter struct {
	Dataset string     // slug
	State   ReuseState // ReuseAccepted for what the public sees
	Before  int64      // id: only older ones, for paging
	Limit   int        // 0 is 60
}

// Reuses lists reuses, the newest first.
func Reuses(ctx context.Context, db postgis.DB, f ReuseFilter) ([]Reuse, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 60
	}
	return reuses(ctx, db, `
		where ($1 = '' or exists (select from reuse_dataset x join dataset d on d.id = x.dataset_id where x.reuse_id = r.id and d.slug = $1))
			and ($2 = '' or r.state = $2) and ($3 = 0 or r.id < $3)
		order by r.id desc
		limit $4`, f.Dataset, f.State, f.Before, limit)
}

// CountReuses counts the accepted reuses of a dataset, of all when it is "".
func CountReuses(ctx context.Context, db postgis.DB, dataset string) (int, error) {
	var n int
	err := db.QueryRow(ctx, `
		select count(*)
		from reuse r
		where r.state = 'accepted' and ($1 = '' or exists (
			select from reuse_dataset x join dataset d on d.id = x.dataset_id where x.reuse_id = r.id and d.slug = $1))`, dataset).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count reuses: %w", postgis.Kind(err))
	}
	return n, nil
}

// FindReuse gives the reuse at a secret address, or geo.ErrNotFound.
func FindReuse(ctx context.Context, db postgis.DB, token string) (Reuse, error) {
	return oneReuse(ctx, db, `where r.token = $1`, tokenSum(token))
}

// ReuseByID gives a reuse whatever its state, or geo.ErrNotFound.
func ReuseByID(ctx context.Context, db postgis.DB, id int64) (Reuse, error) {
	return oneReuse(ctx, db, `where r.id = $1`, id)
}

func oneReuse(ctx context.Context, db postgis.DB, where string, arg any) (Reuse, error) {
	list, err := reuses(ctx, db, where, arg)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("reuse: %w", geo.ErrNotFound)
	}
	if err != nil {
		return Reuse{}, err
	}
	return list[0], nil
}

func reuses(ctx context.Context, db postgis.DB, where string, args ...any) ([]Reuse, error) {
	rows, err := db.Query(ctx, `
		select r.id, r.title, r.url, r.description, r.contest, r.lang, r.picture_sha256, coalesce(r.picture_width, 0), coalesce(r.picture_height, 0),
			r.state, coalesce(r.reason, ''), r.at, r.decided_at, r.edition,
			(select coalesce(jsonb_agg(jsonb_build_object('slug', d.slug, 'title', d.title,
				'open', exists (select from public_dataset p where p.id = d.id)) order by d.slug), '[]')
			from reuse_dataset x join dataset d on d.id = x.dataset_id where x.reuse_id = r.id)
		from reuse r `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read reuses: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Reuse])
	if err != nil {
		return nil, fmt.Errorf("read reuses: %w", postgis.Kind(err))
	}
	return list, nil
}

// DecideReuse lets a reuse appear, or not, or not any more. Edition is the one
// that whoever decides has read: geo.ErrConflict when somebody has decided
// meanwhile. A refusal says why. Who decided is in table edit.
func DecideReuse(ctx context.Context, tx pgx.Tx, id int64, to ReuseState, reason string, account int64, edition int) error {
	reason = strings.TrimSpace(reason)
	if to == ReuseRefused && reason == "" {
		return geo.Bad(nil, "letter.why")
	}
	var was ReuseState
	err := tx.QueryRow(ctx, `
		with was as (select id, state from reuse where id = $1 for update)
		update reuse r
		set state = $2, reason = nullif($3, ''), account_id = $4, edition = r.edition + 1,
			decided_at = case when $2 = 'proposed' then null else now() end
		from was
		where r.id = was.id and r.edition = $5
		returning was.state`, id, string(to), reason, account, edition).Scan(&was)
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err := ReuseByID(ctx, tx, id); err != nil {
			return err
		}
		return fmt.Errorf("decide on reuse %d: %w", id, geo.ErrConflict)
	}
	if err != nil {
		return fmt.Errorf("decide on reuse %d: %w", id, postgis.Kind(err))
	}
	_, err = tx.Exec(ctx, `
		insert into edit (kind, subject, field, before, after, account_id)
		values ('reuse', $1::bigint::text, 'state', to_jsonb($2::text), to_jsonb($3::text), $4)`, id, string(was), string(to), account)
	if err != nil {
		return fmt.Errorf("write down who decided on reuse %d: %w", id, postgis.Kind(err))
	}
	return nil
}

// WithdrawReuse takes a reuse away again, by its sender.
func WithdrawReuse(ctx context.Context, db postgis.DB, token string) error {
	tag, err := db.Exec(ctx, `
		update reuse set state = 'withdrawn', reason = null, account_id = null, decided_at = now(), edition = edition + 1
		where token = $1 and state <> 'withdrawn'`, tokenSum(token))
	if err != nil {
		return fmt.Errorf("withdraw a reuse: %w", postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		_, err := FindReuse(ctx, db, token)
		return err
	}
	return nil
}

// keepRefused is how long what was refused or withdrawn stays, for those who
// decide otherwise.
const keepRefused = 90 * 24 * time.Hour

// SweepReuses deletes what was refused or withdrawn long ago. It returns how
// many went.
func SweepReuses(ctx context.Context, db postgis.DB, now time.Time) (int, error) {
	tag, err := db.Exec(ctx, `delete from reuse where state in ('refused', 'withdrawn') and decided_at < $1`, now.Add(-keepRefused))
	if err != nil {
		return 0, fmt.Errorf("forget reuses: %w", postgis.Kind(err))
	}
	return int(tag.RowsAffected()), nil
}
