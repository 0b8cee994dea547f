package catalogue

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A ReportKind says why somebody wrote.
type ReportKind string

// The kinds of reports.
const (
	ErrorReport   ReportKind = "error"   // "Signaler une erreur"
	MessageReport ReportKind = "message" // "Écrire au producteur"
)

// A ReportState is what became of a report.
type ReportState string

// The states of a report. The producer may answer more than once; the last
// answer says.
const (
	ReportReceived  ReportState = "received"
	ReportAnswered  ReportState = "answered"
	ReportAccepted  ReportState = "accepted"
	ReportRefused   ReportState = "refused"   // with the reason
	ReportCorrected ReportState = "corrected" // in a version
)

// A Report is what a visitor wrote about a dataset or one of its objects. Who
// it was nobody knows.
type Report struct {
	ID       int64
	Dataset  string // slug
	Title    geo.Text
	Producer string // id
	Open     bool   // the dataset is public
	Layer    string // of the object, "" for the dataset as a whole
	Key      string
	Kind     ReportKind
	Text     string
	Lang     string
	Version  int // number of the version published when it was written, 0 when none
	At       time.Time
	State    ReportState
	Since    time.Time // of the state
	Answers  []ReportAnswer
}

// A ReportAnswer is one answer of the producer.
type ReportAnswer struct {
	Number  int // from 1
	State   ReportState
	Text    string
	Version int   // number of the version that corrects it, 0 for none
	Account int64 // who answered
	At      time.Time
}

// maxReport is the longest text of a report or an answer, in characters.
const maxReport = 2000

// SendReport keeps a report about a dataset that is public, and returns the
// secret end of the address where its answer will stand; only its hash is
// kept. A text that is empty, too long, or holds a telephone number or mail
// address is a *geo.InputError; a dataset or layer that is not public is
// geo.ErrNotFound.
func SendReport(ctx context.Context, db postgis.DB, r Report) (token string, err error) {
	if r.Text, err = checkReport(r.Text); err != nil {
		return "", err
	}
	token, sum := newToken()
	tag, err := db.Exec(ctx, `
		insert into report (token, dataset_id, layer_id, key, kind, text, lang, version_id)
		select $1, d.id, l.id, nullif($4, ''), $5, $6, $7, d.published_id
		from public_dataset d
		left join layer l on l.dataset_id = d.id and l.name = $3
		where d.slug = $2 and (l.id is null) = ($4 = '')`, sum, r.Dataset, r.Layer, r.Key, r.Kind, r.Text, r.Lang)
	if err != nil {
		return "", fmt.Errorf("keep a report: %w", postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return "", fmt.Errorf("report on %s %s: %w", r.Dataset, r.Layer, geo.ErrNotFound)
	}
	return token, nil
}

// checkReport tidies a text that people wrote, or says what is wrong with it.
func checkReport(s string) (string, error) {
	s = strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n"))
	switch {
	case s == "":
		return s, geo.Bad(nil, "letter.text-missing")
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return s, geo.Bad(nil, "letter.text-unreadable")
	case utf8.RuneCountInString(s) > maxReport:
		return s, geo.Bad(nil, "letter.text-long", "most", maxReport)
	case geo.HasMail(s):
		return s, geo.Bad(nil, "letter.text-email")
	case geo.HasPhone(geo.WithoutPositions(s)):
		return s, geo.Bad(nil, "letter.text-phone")
	}
	return s, nil
}

// newToken makes the secret end of an address (128 random bits) and its hash.
func newToken() (token string, sum []byte) {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, tokenSum(token)
}

func tokenSum(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

const reportColumns = `
	r.id, d.slug, d.title, d.producer_id, exists (select from public_dataset p where p.id = d.id),
	coalesce(l.name, ''), coalesce(r.key, ''), r.kind, r.text, r.lang, coalesce(v.number, 0), r.at, s.state, s.since`

const reportTables = `
	from report r
	join dataset d on d.id = r.dataset_id
	join report_state s on s.report_id = r.id
	left join layer l on l.id = r.layer_id
	left join version v on v.id = r.version_id`

// FindReport gives the report at a secret address with its answers, or
// geo.ErrNotFound.
func FindReport(ctx context.Context, db postgis.DB, token string) (Report, error) {
	return oneReport(ctx, db, `r.token = $1`, tokenSum(token))
}

// ReportByID gives a report with its answers, for who may answer it.
func ReportByID(ctx context.Context, db postgis.DB, id int64) (Report, error) {
	return oneReport(ctx, db, `r.id = $1`, id)
}

func oneReport(ctx context.Context, db postgis.DB, where string, arg any) (Report, error) {
	list, err := reports(ctx, db, ` where `+where, arg)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("report: %w", geo.ErrNotFound)
	}
	if err != nil {
		return Report{}, err
	}
	r := list[0]
	rows, err := db.Query(ctx, `
		select a.number, a.state, coalesce(a.text, ''), coalesce(v.number, 0), coalesce(a.account_id, 0), a.at
		from report_answer a
		left join version v on v.id = a.version_id
		where a.report_id = $1
		order by a.number`, r.ID)
	if err == nil {
		r.Answers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ReportAnswer])
	}
	if err != nil {
		return Report{}, fmt.Errorf("read the answers to a report: %w", postgis.Kind(err))
	}
	return r, nil
}

func reports(ctx context.Context, db postgis.DB, where string, args ...any) ([]Report, error) {
	rows, err := db.Query(ctx, `select `+reportColumns+reportTables+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Report, err error) {
		return r, row.Scan(&r.ID, &r.Dataset, &r.Title, &r.Producer, &r.Open, &r.Layer, &r.Key, &r.Kind, &r.Text, &r.Lang,
			&r.Version, &r.At, &r.State, &r.Since)
	})
	if err != nil {
		return nil, fmt.Errorf("read reports: %w", postgis.Kind(err))
	}
	return list, nil
}

// A ReportFilter selects reports. What is left empty selects all.
type ReportFilter struct {
	Producer string // id
	Dataset  string // slug
	Open     bool   // only those that wait: received, or accepted and not corrected yet
	Before   int64  // id: only older ones, for paging
	Limit    int    // 0 is 100
}

// Reports lists reports, the newest first, without their answers.
func Reports(ctx context.Context, db postgis.DB, f ReportFilter) ([]Report, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	return reports(ctx, db, `
		where ($1 = '' or d.producer_id = $1) and ($2 = '' or d.slug = $2)
			and (not $3 or s.state in ('received', 'accepted')) and ($4 = 0 or r.id < $4)
		order by r.id desc
		limit $5`, f.Producer, f.Dataset, f.Open, f.Before, limit)
}

// WaitingReports counts the reports of a producer that nobody has answered yet;
// of all producers when it is "".
func WaitingReports(ctx context.Context, db postgis.DB, producer string) (int, error) {
	var n int
	err := db.QueryRow(ctx, `
		select count(*)
		from report r
		join dataset d on d.id = r.dataset_id
		where ($1 = '' or d.producer_id = $1) and not exists (select from report_answer a where a.report_id = r.id)`, producer).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count reports: %w", postgis.Kind(err))
	}
	return n, nil
}

// AnswerReport adds an answer to a report. Number is the one that whoever
// answers expects it to get: when somebody has answered meanwhile it is
// geo.ErrConflict, and nothing is written. A refusal or plain answer needs a
// text, a correction a version of the dataset, by its number.
func AnswerReport(ctx context.Context, db postgis.DB, id int64, a ReportAnswer) error {
	var err error
	if a.Text != "" || a.State == ReportAnswered || a.State == ReportRefused {
		if a.Text, err = checkAnswer(a); err != nil {
			return err
		}
	}
	tag, err := db.Exec(ctx, `
		insert into report_answer (report_id, dataset_id, number, state, text, version_id, account_id)
		select r.id, r.dataset_id, $2::int, $3, nullif($4, ''), v.id, nullif($6::bigint, 0)
		from report r
		left join version v on v.dataset_id = r.dataset_id and v.number = $5::int
		where r.id = $1 and (v.id is not null or $5::int = 0)
			and $2::int = 1 + (select count(*) from report_answer o where o.report_id = r.id)`,
		id, a.Number, a.State, a.Text, a.Version, a.Account)
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &pg) && pg.Code == "23505": // unique_violation: at the same moment
		return fmt.Errorf("answer report %d: %w", id, geo.ErrConflict)
	case err != nil:
		return fmt.Errorf("answer report %d: %w", id, postgis.Kind(err))
	case tag.RowsAffected() == 1:
		return nil
	}
	r, err := ReportByID(ctx, db, id)
	if err != nil {
		return err
	}
	if len(r.Answers)+1 != a.Number {
		return fmt.Errorf("answer report %d: %w", id, geo.ErrConflict)
	}
	return geo.Bad(nil, "letter.no-version", "version", a.Version)
}

// checkAnswer is checkReport for who answers in the producer's name: their own
// number or address they may give.
func checkAnswer(a ReportAnswer) (string, error) {
	s, err := checkReport(a.Text)
	var bad *geo.InputError
	if errors.As(err, &bad) && (bad.Code == "letter.text-phone" || bad.Code == "letter.text-email") {
		return s, nil
	}
	if errors.As(err, &bad) && bad.Code == "letter.text-missing" && a.State == ReportRefused {
		return s, geo.Bad(nil, "letter.why")
	}
	return s, err
}

// keepReports is how long a report stays after its last answer; without one,
// twice as long. What people wrote is not kept for ever.
const keepReports = 365 * 24 * time.Hour

// SweepReports deletes old reports. It returns how many went.
func SweepReports(ctx context.Context, db postgis.DB, now time.Time) (int, error) {
	tag, err := db.Exec(ctx, `
		delete from report r
		using report_state s
		where s.report_id = r.id and s.since < case when s.answers > 0 then $1::timestamptz else $2::timestamptz end`,
		now.Add(-keepReports), now.Add(-2*keepReports))
	if err != nil {
		return 0, fmt.Errorf("forget reports: %w", postgis.Kind(err))
	}
	return int(tag.RowsAffected()), nil
}
