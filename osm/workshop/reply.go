package workshop

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A ReplyKind is what a producer says to a correction.
type ReplyKind string

// The replies.
const (
	Accepted  ReplyKind = "accepted"  // the file will be mended
	Refused   ReplyKind = "refused"   // with the reason
	Corrected ReplyKind = "corrected" // the file is right from a version on
)

// maxReason is the length of a reason in characters.
const maxReason = 500

// A Response is a producer's answer to a correction.
type Response struct {
	Says    ReplyKind
	Reason  string        // in the producer's words; must be there when refused
	Version geo.VersionID // in which the file is right, when corrected; 0 otherwise
	Number  int           // of that version, when read
	At      time.Time     // when read
}

// check says what is wrong with a response, as a *geo.InputError or
// *geo.ParamError.
func (r *Response) check() error {
	r.Reason = strings.TrimSpace(r.Reason)
	switch {
	case r.Says != Accepted && r.Says != Refused && r.Says != Corrected:
		return &geo.ParamError{Param: "says", Value: string(r.Says), Want: "want accepted, refused or corrected"}
	case r.Says == Refused && r.Reason == "":
		return geo.Bad(nil, "report.reason-missing")
	case (r.Says == Corrected) != (r.Version != 0):
		return &geo.ParamError{Param: "version", Value: fmt.Sprint(r.Version), Want: "want a version with corrected, and with nothing else"}
	}
	return checkText(r.Reason, maxReason)
}

// Reply keeps what a producer's account answers to a correction, one of
// Correction.IDs, in place of what was answered before: it holds for all who
// saw the same. A correction that is not in force, or of another producer
// unless that is "", is geo.ErrNotFound; a version of another dataset a
// *geo.ParamError.
func Reply(ctx context.Context, db postgis.DB, account int64, producer string, correction int64, r Response) error {
	if err := r.check(); err != nil {
		return err
	}
	ctx = As(ctx, account)
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		to, err := findCorrected(ctx, tx, correction, producer)
		if err != nil {
			return err
		}
		if r.Version != 0 {
			if err := checkVersion(ctx, tx, to.dataset, r.Version); err != nil {
				return err
			}
		}
		before, err := withdrawReplies(ctx, tx, to.same)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			insert into correction_reply (correction_id, says, reason, version_id, account_id)
			values ($1, $2, nullif($3, ''), nullif($4::bigint, 0), $5)`, correction, r.Says, r.Reason, r.Version, account)
		if err != nil {
			return fmt.Errorf("reply to correction %d: %w", correction, postgis.Kind(err))
		}
		e := event{session: to.session, task: to.task, role: "producer", kind: "replied", before: before, after: map[string]any{"correction": correction, "says": r.Says}}
		if err := put(ctx, tx, e); err != nil {
			return err
		}
		return tell(ctx, tx, to.code)
	})
}

// WithdrawReply takes a producer's answer back; geo.ErrNotFound where there is
// none, or the correction is another's.
func WithdrawReply(ctx context.Context, db postgis.DB, account int64, producer string, correction int64) error {
	ctx = As(ctx, account)
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		to, err := findCorrected(ctx, tx, correction, producer)
		if err != nil {
			return err
		}
		before, err := withdrawReplies(ctx, tx, to.same)
		if err == nil && before == nil {
			err = fmt.Errorf("withdraw the reply to correction %d: %w", correction, geo.ErrNotFound)
		}
		if err != nil {
			return err
		}
		if err := put(ctx, tx, event{session: to.session, task: to.task, role: "producer", kind: "reply-withdrawn", before: before}); err != nil {
			return err
		}
		return tell(ctx, tx, to.code)
	})
}

// A corrected is what a reply is about.
type corrected struct {
	session, task int64
	code          string
	dataset       geo.DatasetID
	same          []int64 // corrections of the task that say the same, this one among them
}

// findCorrected finds a correction in force, and holds its session so that two
// replies come one after the other.
func findCorrected(ctx context.Context, tx pgx.Tx, correction int64, producer string) (c corrected, err error) {
	err = tx.QueryRow(ctx, `
		select t.session_id, t.id, s.code, l.dataset_id, array(
			select c2.id
			from answer a2
			join correction c2 on c2.answer_id = a2.id and c2.field = c.field
			join answer_value v2 on (v2.answer_id, v2.field) = (c2.answer_id, c2.field)
			where a2.task_id = t.id and lower(regexp_replace(btrim(v2.value), '\s+', ' ', 'g')) = lower(regexp_replace(btrim(v.value), '\s+', ' ', 'g')))
		from correction_in_force c
		join answer_value v on (v.answer_id, v.field) = (c.answer_id, c.field)
		join answer a on a.id = c.answer_id
		join task t on t.id = a.task_id
		join session s on s.id = t.session_id
		join outcome o on o.id = t.outcome_id
		join rule r on r.id = o.rule_id
		join layer l on l.id = r.layer_id
		join dataset d on d.id = l.dataset_id
		where c.id = $1 and $2 in ('', d.producer_id)
		for no key update of s`, correction, producer).Scan(&c.session, &c.task, &c.code, &c.dataset, &c.same)
	if err != nil {
		return c, fmt.Errorf("find correction %d: %w", correction, postgis.Kind(err))
	}
	return c, nil
}

// checkVersion refuses a version that is none of the dataset's.
func checkVersion(ctx context.Context, tx pgx.Tx, dataset geo.DatasetID, version geo.VersionID) error {
	var is bool
	err := tx.QueryRow(ctx, `select exists (select from version where id = $1 and dataset_id = $2 and published_at is not null)`, version, dataset).Scan(&is)
	if err != nil {
		return fmt.Errorf("look up version %d: %w", version, postgis.Kind(err))
	}
	if !is {
		return &geo.ParamError{Param: "version", Value: fmt.Sprint(version), Want: "want a version of this dataset that was published"}
	}
	return nil
}

// withdrawReplies takes back what stands of the replies to corrections, and
// gives what that was; nil for nothing.
func withdrawReplies(ctx context.Context, tx pgx.Tx, corrections []int64) (map[string]any, error) {
	var id int64
	var says string
	err := tx.QueryRow(ctx, `
		update correction_reply set withdrawn_at = now()
		where correction_id = any ($1) and withdrawn_at is null
		returning correction_id, says`, corrections).Scan(&id, &says)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("withdraw a reply: %w", postgis.Kind(err))
	}
	return map[string]any{"correction": id, "says": says}, nil
}

// Replies gives all that sessions have told a producer, with its answers, the
// newest sessions first; "" is all producers.
func Replies(ctx context.Context, db postgis.DB, producer string) ([]Correction, error) {
	return corrections(ctx, db, 0, producer)
}
