package api

import (
	"bufio"
	"strings"
	"testing"
)

// TestRejectedRows says what happened to rows in the language of who asks; what
// an earlier version wrote is given as it is.
func TestRejectedRows(t *testing.T) {
	t.Parallel()
	const rows = `{"layer":"eau","record":7,"field":"x","value":"=1+1","rule":"geometry.none","rejected":true,"message":{"code":"census.no-title"},"raw":"7;\"a\nb\""}
{"layer":"eau","record":8,"rule":"x","rejected":false,"message":{"code":"census.date","args":{"value":"hier"}}}
`
	for lang, want := range map[string][]string{
		"fr": {"\ufeffcouche;ligne;champ;valeur;règle;action;message;contenu", "eau;7;x;'=1+1;geometry.none;rejeté;Le titre manque.", ";réparé;"},
		"en": {"\ufefflayer;line;field;value;rule;action;message;content", "rejected;The title is missing.", ";repaired;"},
		"it": {"\ufefflivello;riga;campo;valore;regola;azione;messaggio;contenuto", "rifiutato;Manca il titolo.", ";riparato;"},
	} {
		var b strings.Builder
		if err := writeRejected(&b, lang, bufio.NewReader(strings.NewReader(rows))); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("in %s there is no %q in\n%s", lang, w, b.String())
			}
		}
	}
	const old = "\ufeffcouche;ligne\r\neau;7\r\n"
	var b strings.Builder
	if err := writeRejected(&b, "en", bufio.NewReader(strings.NewReader(old))); err != nil || b.String() != old {
		t.Errorf("an old file is given as %q, %v", b.String(), err)
	}
}
