package account

import (
	"crypto/sha256"
	"encoding/hex"
)

// Recovered is who shows the recovery code of a mapping session: its mediator,
// for this session alone. What the forms carry is made of the secret, so that
// nothing has to be stored.
func Recovered(session, mediator int64, secret string) Actor {
	sum := sha256.Sum256([]byte("forms of the recovered session " + secret))
	return Actor{Role: Mediator, ID: mediator, Session: session, CSRF: hex.EncodeToString(sum[:16])}
}
