package main

import (
	"context"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A browser is one without JavaScript: it keeps cookies, reads pages, and
// sends the forms that are on them.
type browser struct {
	client http.Client
	base   string
	header http.Header // of every request
}

// newBrowser gives a browser that comes from an address, "" for any.
func newBrowser(t testing.TB, base, from string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{base: base, header: http.Header{}}
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	b.client = http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, address)
		},
	}}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// A sheet is a page as a browser has it, after redirects.
type sheet struct {
	status int
	path   string
	body   string
}

func (s sheet) String() string {
	return fmt.Sprintf("%s: %d %.600s", s.path, s.status, s.body)
}

func (b *browser) get(path string) (sheet, error) {
	return b.do(http.MethodGet, path, "")
}

func (b *browser) post(path string, form url.Values) (sheet, error) {
	return b.do(http.MethodPost, path, form.Encode())
}

// send sends a form and gives its answer itself, a redirect not followed.
func (b *browser) send(f form) (sheet, error) {
	still := *b
	still.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return still.post(f.action, f.fields)
}

func (b *browser) do(method, path, form string) (sheet, error) {
	r, err := http.NewRequest(method, b.base+path, strings.NewReader(form))
	if err != nil {
		return sheet{}, err
	}
	for k, v := range b.header {
		r.Header[k] = v
	}
	r.Header.Set("Accept", "text/html")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", b.base)
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return sheet{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return sheet{}, err
	}
	return sheet{resp.StatusCode, resp.Request.URL.Path, string(body)}, nil
}

// A form is one of a page's: where it goes, what it holds already, and what
// its buttons say by their name.
type form struct {
	action  string
	fields  url.Values
	buttons map[string][]string
}

var (
	formTag  = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputTag = regexp.MustCompile(`<(input|button)\b([^>]*)>`)
	attr     = regexp.MustCompile(`([\w-]+)="([^"]*)"`)
)

func attributes(tag string) map[string]string {
	m := map[string]string{}
	for _, a := range attr.FindAllStringSubmatch(tag, -1) {
		m[a[1]] = html.UnescapeString(a[2])
	}
	return m
}

// form finds the form whose address ends with path, its query aside.
func (s sheet) form(path string) (form, bool) {
	for _, m := range formTag.FindAllStringSubmatch(s.body, -1) {
		f := form{action: attributes(m[1])["action"], fields: url.Values{}, buttons: map[string][]string{}}
		if address, _, _ := strings.Cut(f.action, "?"); !strings.HasSuffix(address, path) {
			continue
		}
		for _, in := range inputTag.FindAllStringSubmatch(m[2], -1) {
			a := attributes(in[2])
			switch {
			case a["name"] == "":
			case in[1] == "button":
				f.buttons[a["name"]] = append(f.buttons[a["name"]], a["value"])
			case a["type"] != "radio" && a["type"] != "checkbox" || strings.Contains(in[2], " checked"):
				f.fields.Set(a["name"], a["value"])
			}
		}
		return f, true
	}
	return form{}, false
}

// signIn signs an account in.
func (b *browser) signIn(t testing.TB, login, password string) {
	t.Helper()
	s, err := b.post("/connexion", url.Values{"login": {login}, "password": {password}})
	if err != nil || s.status != http.StatusOK {
		t.Fatalf("sign in %s: %v %v", login, s, err)
	}
}

var newCode = regexp.MustCompile(`^/atelier/([2-9A-Z]{6})/conduite`)

// prepare makes a session of an area and opens it; it gives its code.
func (b *browser) prepare(t testing.TB, theme, area string, people, minutes int) string {
	t.Helper()
	page := b.must(t, "/atelier/nouveau")
	f, ok := page.form("/atelier/nouveau")
	if !ok {
		t.Fatalf("no form in %v", page)
	}
	f.fields.Set("titre", "Le tour du quartier")
	f.fields.Set("theme", theme)
	f.fields.Set("zone", "forme")
	f.fields.Set("forme", area)
	f.fields.Set("personnes", fmt.Sprint(people))
	f.fields.Set("duree", fmt.Sprint(minutes))
	f.fields.Set("faire", "creer")
	s, err := b.post(f.action, f.fields)
	m := newCode.FindStringSubmatch(s.path)
	if err != nil || m == nil {
		t.Fatalf("prepare a session: %v %v", s, err)
	}
	b.conduct(t, m[1], "ouvrir", nil)
	return m[1]
}

// conduct does what a button of the board does.
func (b *browser) conduct(t testing.TB, code, act string, more url.Values) {
	t.Helper()
	board := b.must(t, "/atelier/"+code+"/conduite")
	f, ok := board.form("/conduite/" + act)
	if !ok {
		f, ok = board.form("") // any: they carry the same mark
		f.action = "/atelier/" + code + "/conduite/" + act
	}
	if !ok {
		t.Fatalf("no form on the board: %v", board)
	}
	for k, v := range more {
		f.fields[k] = v
	}
	if s, err := b.post(f.action, f.fields); err != nil || s.status != http.StatusOK {
		t.Fatalf("%s: %v %v", act, s, err)
	}
}

// must reads a page that has to be there.
func (b *browser) must(t testing.TB, path string) sheet {
	t.Helper()
	s, err := b.get(path)
	if err != nil || s.status != http.StatusOK {
		t.Fatalf("%s: %v %v", path, s, err)
	}
	return s
}

// join takes a seat.
func (b *browser) join(t testing.TB, code string) {
	t.Helper()
	door := b.must(t, "/atelier?code="+code)
	f, ok := door.form("/rejoindre")
	if !ok {
		t.Fatalf("no way in: %v", door)
	}
	if s, err := b.post(f.action, f.fields); err != nil || s.status != http.StatusOK {
		t.Fatalf("join: %v %v", s, err)
	}
}

// question is the form of the question that a page asks, and its answers.
func (s sheet) question() (f form, choices []string, ok bool) {
	f, ok = s.form("/reponse")
	choices = f.buttons["choix"]
	return f, choices, ok && len(choices) > 0
}

// pass does the trial, if that is what is shown, and gives the page after it.
func (b *browser) pass(t testing.TB, code string) sheet {
	t.Helper()
	for range 5 {
		page := b.must(t, "/atelier/"+code)
		f, choices, ok := page.question()
		if !ok || f.fields.Get("numero") != "0" && f.fields.Get("numero") != "" {
			return page
		}
		f.fields.Set("choix", choices[0])
		if s, err := b.post(f.action, f.fields); err != nil || s.status != http.StatusOK {
			t.Fatalf("try out: %v %v", s, err)
		}
	}
	t.Fatal("the trial does not end")
	return sheet{}
}

// p95 is the 95th percentile in milliseconds.
func p95(list []time.Duration) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return float64(list[len(list)*95/100].Microseconds()) / 1000
}
