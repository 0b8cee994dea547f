package features

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"unicode/utf8"

	"calanque/geo"
)

// A token is where a walk through /items goes on: after which key, and on
// which version of the layer, so that a publication meanwhile changes nothing
// for it. Version 0 is a layer without versions.
type token struct {
	version geo.VersionID
	key     string
}

// tokenForm is the first byte of a token: what follows may change one day.
const tokenForm = 1

// String is the token as it stands in a next link: opaque, and safe in a URL.
func (t token) String() string {
	b := []byte{tokenForm}
	b = binary.AppendUvarint(b, uint64(t.version))
	b = append(b, t.key...)
	b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

func parseToken(s string) (token, error) {
	bad := &geo.ParamError{Param: "after", Value: clip(s), Want: "want the value of a next link, unchanged; leave it out to start at the first page"}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 6 || b[0] != tokenForm {
		return token{}, bad
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return token{}, bad
	}
	version, n := binary.Uvarint(body[1:])
	if n <= 0 || version > 1<<62 {
		return token{}, bad
	}
	key := string(body[1+n:])
	if key == "" || !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return token{}, bad
	}
	return token{geo.VersionID(version), key}, nil
}

// Token makes the token of a page that ends with a key, on a version of a
// layer (0 when it has none).
func Token(version geo.VersionID, key string) string { return token{version, key}.String() }

// ReadToken gives the key that a token goes on after, "" for no token. It is
// an error when the token is of another version than the one given.
func ReadToken(s string, version geo.VersionID) (string, error) {
	if s == "" {
		return "", nil
	}
	t, err := parseToken(s)
	if err != nil {
		return "", err
	}
	if t.version != version {
		return "", geo.ErrGone
	}
	return t.key, nil
}
