package features

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"calanque/api/answer"
)

// maxSafe is the greatest whole number that JavaScript reads as itself.
const maxSafe = 1<<53 - 1

// epoch is where PostgreSQL counts days and microseconds from.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// appendRaw appends a value in the database's binary format as JSON; ok is
// false for types it does not know. Whole numbers beyond 2^53 become strings,
// what JSON has no word for (NaN, infinity) becomes null.
func appendRaw(dst []byte, oid uint32, raw []byte) (_ []byte, ok bool) {
	if raw == nil {
		return append(dst, "null"...), true
	}
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID, pgtype.BPCharOID, pgtype.NameOID, pgtype.QCharOID:
		return appendString(dst, raw), true
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		return appendInt(dst, bigEndian(raw)), true
	case pgtype.Float8OID:
		return appendFloat(dst, math.Float64frombits(uint64(bigEndian(raw))), 64), true
	case pgtype.Float4OID:
		return appendFloat(dst, float64(math.Float32frombits(uint32(bigEndian(raw)))), 32), true
	case pgtype.BoolOID:
		return strconv.AppendBool(dst, len(raw) > 0 && raw[0] != 0), true
	case pgtype.DateOID:
		return appendDate(dst, int32(bigEndian(raw))), true
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		return appendTime(dst, bigEndian(raw)), true
	case pgtype.JSONOID:
		return append(dst, raw...), true
	case pgtype.JSONBOID:
		if len(raw) > 1 && raw[0] == 1 { // the format's version
			return append(dst, raw[1:]...), true
		}
	}
	return dst, false
}

// bigEndian reads a whole number of 2, 4 or 8 bytes, with its sign.
func bigEndian(raw []byte) int64 {
	switch len(raw) {
	case 2:
		return int64(int16(binary.BigEndian.Uint16(raw)))
	case 4:
		return int64(int32(binary.BigEndian.Uint32(raw)))
	case 8:
		return int64(binary.BigEndian.Uint64(raw))
	}
	return 0
}

func appendInt(dst []byte, n int64) []byte {
	if n >= -maxSafe && n <= maxSafe {
		return strconv.AppendInt(dst, n, 10)
	}
	dst = append(dst, '"')
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '"')
}

// appendFloat writes a number the shortest way that reads back as itself, with
// a point: GDAL and QGIS take a column for whole numbers whose first ten are
// written as such, and cut off the rest.
func appendFloat(dst []byte, f float64, bits int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, "null"...)
	}
	how := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		how = 'e' // as JSON encoders do
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, how, -1, bits)
	if how == 'f' && bytes.IndexByte(dst[start:], '.') < 0 {
		dst = append(dst, '.', '0')
	}
	return dst
}

func appendDate(dst []byte, days int32) []byte {
	if days == math.MaxInt32 || days == math.MinInt32 { // infinity
		return append(dst, "null"...)
	}
	dst = append(dst, '"')
	dst = epoch.AddDate(0, 0, int(days)).AppendFormat(dst, time.DateOnly)
	return append(dst, '"')
}

func appendTime(dst []byte, micros int64) []byte {
	if micros == math.MaxInt64 || micros == math.MinInt64 { // infinity
		return append(dst, "null"...)
	}
	t := time.Unix(epoch.Unix()+micros/1e6, micros%1e6*1000).UTC()
	dst = append(dst, '"')
	dst = t.AppendFormat(dst, time.RFC3339Nano)
	return append(dst, '"')
}

// appendAny appends a value of any Go type that pgx gives: the slow way, for
// types that appendRaw does not know.
func appendAny(dst []byte, v any) []byte {
	b, err := answer.Encode(v)
	if err != nil {
		return appendString(dst, []byte(fmt.Sprint(v)))
	}
	return append(dst, bytes.TrimSuffix(b, []byte{'\n'})...)
}

const hexDigits = "0123456789abcdef"

// appendString appends text as a JSON string. Bytes that are no UTF-8 become
// U+FFFD.
func appendString(dst, s []byte) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRune(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, `\ufffd`...)
				start = i + 1
			}
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
