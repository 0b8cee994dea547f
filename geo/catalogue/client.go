package catalogue

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"calanque/geo"
)

// What a link may cost.
const (
	linkTimeout  = 20 * time.Second // one request, from the name to the first bytes
	maxRedirects = 5
	maxHeader    = 64 << 10
	maxRobots    = 500 << 10 // RFC 9309, 2.5
	maxBody      = 1 << 10   // of what a link leads to
)

// ClientOptions are what a LinkClient may be told. The zero value is right
// everywhere but in tests.
type ClientOptions struct {
	// About is an address where people read who asks.
	About string
	// Pause is the time between two requests to one host; 0 means a second,
	// a negative one none.
	Pause time.Duration
	// AllowInner lets links lead to addresses inside, such as those of a test's
	// own server. Never set it where links come from people.
	AllowInner bool
	Resolver   *net.Resolver  // nil means the system's
	RootCAs    *x509.CertPool // nil means the system's
}

// A LinkClient asks whether links answer. It says who it is, keeps to
// robots.txt, asks a host one thing at a time, and connects to addresses of the
// open internet only: it looks at the address that is connected to, whatever
// the link said and whatever the name meant a moment ago.
type LinkClient struct {
	http  *http.Client
	agent string
	pause time.Duration

	mu     sync.Mutex
	robots map[string]*askedRobots // by scheme and host
}

type askedRobots struct {
	robots
	err  error // the host did not answer
	deny bool  // its answer was a mistake: RFC 9309 says to stay away
}

var errInner = errors.New("an address inside")

// NewLinkClient makes a client. It goes through no proxy: the proxy would
// connect where we could not look.
func NewLinkClient(o ClientOptions) *LinkClient {
	dialer := &net.Dialer{Timeout: linkTimeout / 2, Resolver: o.Resolver}
	if !o.AllowInner {
		dialer.Control = onlyOuter
	}
	c := &LinkClient{agent: "Calanque (link check)", pause: o.Pause, robots: map[string]*askedRobots{}}
	if o.About != "" {
		c.agent = "Calanque (link check; +" + o.About + ")"
	}
	if o.Pause == 0 {
		c.pause = time.Second
	}
	c.http = &http.Client{
		Timeout:       linkTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			TLSHandshakeTimeout:    linkTimeout / 2,
			MaxResponseHeaderBytes: maxHeader,
			TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, MinVersion: tls.VersionTLS12},
		},
	}
	return c
}

// onlyOuter refuses a connection to an address inside, just before it is made.
func onlyOuter(network, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" || !outer(to.Addr()) {
		return fmt.Errorf("%s: %w", address, errInner)
	}
	return nil
}

// A finding is how a link was found.
type finding struct {
	status  int // of HTTP, 0 when nobody answered
	broken  bool
	message *geo.Message // why it is broken, or could not be tried
}

// silent tells that nobody answered, which may be our own fault.
func (f finding) silent() bool {
	return f.status == 0 && f.message != nil && slices.Contains([]string{"link.name", "link.silent", "link.timeout"}, f.message.Code)
}

func broken(status int, code string, args ...any) finding {
	m := geo.Say(code, args...)
	return finding{status: status, broken: true, message: &m}
}

func unclear(status int, code string, args ...any) finding {
	f := broken(status, code, args...)
	f.broken = false
	return f
}

// try asks for a link, and for where it leads: for the head, and for the first
// byte where that is not given. It is false when ctx ended first.
func (c *LinkClient) try(ctx context.Context, link string, service bool) (finding, bool) {
	at := link
	for range maxRedirects + 1 {
		u, err := url.Parse(at)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return broken(0, "link.bad", "url", at), true
		}
		if f, stop := c.mayTry(ctx, u); stop {
			return f, ctx.Err() == nil
		}
		status, next, err := c.ask(ctx, http.MethodHead, u)
		// Some servers know no HEAD, or answer it wrongly.
		if status >= 400 || err != nil && !errors.Is(err, errInner) {
			c.wait(ctx)
			status, next, err = c.ask(ctx, http.MethodGet, u)
		}
		switch {
		case ctx.Err() != nil:
			return finding{}, false
		case err != nil:
			return unreachable(err, u), true
		case next == "":
			return judge(status, service), true
		}
		at = next
		c.wait(ctx)
	}
	return broken(0, "link.redirects", "n", maxRedirects), true
}

// judge tells what a status means for whoever follows the link. Services want
// parameters: that they miss them is an answer.
func judge(status int, service bool) finding {
	switch {
	case status >= 200 && status < 300, status == http.StatusRequestedRangeNotSatisfiable:
		return finding{status: status}
	case service && (status == http.StatusBadRequest || status == http.StatusMethodNotAllowed || status == http.StatusUnprocessableEntity):
		return finding{status: status}
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusTooManyRequests:
		// Perhaps to robots only.
		return unclear(status, "link.forbidden", "status", status)
	case status == http.StatusNotFound, status == http.StatusGone:
		return broken(status, "link.gone", "status", status)
	}
	return broken(status, "link.status", "status", status)
}

func unreachable(err error, u *url.URL) finding {
	var dns *net.DNSError
	var unknown x509.UnknownAuthorityError
	var host x509.HostnameError
	var cert x509.CertificateInvalidError
	var wait net.Error
	switch {
	case errors.Is(err, errInner):
		return broken(0, "link.inner", "host", u.Host)
	case errors.As(err, &dns) && !dns.IsTimeout:
		return broken(0, "link.name", "host", u.Hostname())
	case errors.As(err, &unknown), errors.As(err, &host), errors.As(err, &cert):
		return broken(0, "link.certificate", "host", u.Host)
	case errors.As(err, &wait) && wait.Timeout():
		return broken(0, "link.timeout", "seconds", int(linkTimeout.Seconds()))
	}
	return broken(0, "link.silent", "host", u.Host)
}

// ask sends one request. next is where a redirect leads, "" for none.
func (c *LinkClient) ask(ctx context.Context, method string, u *url.URL) (status int, next string, err error) {
	r, err := http.NewRequestWithContext(ctx, method, u.String(), nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("User-Agent", c.agent)
	r.Header.Set("Accept", "*/*")
	if method == http.MethodGet {
		r.Header.Set("Range", "bytes=0-0")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxBody)
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		if to, err := answer.Location(); err == nil {
			to.Fragment = ""
			return answer.StatusCode, to.String(), nil
		}
	}
	return answer.StatusCode, "", nil
}

// mayTry asks the host's robots.txt, once. stop says that the link is not to
// be asked for, and the finding what is known of it then.
func (c *LinkClient) mayTry(ctx context.Context, u *url.URL) (f finding, stop bool) {
	key := u.Scheme + "://" + u.Host
	c.mu.Lock()
	known, ok := c.robots[key]
	c.mu.Unlock()
	if !ok {
		known = c.askRobots(ctx, key)
		if ctx.Err() != nil {
			return finding{}, true
		}
		c.mu.Lock()
		c.robots[key] = known
		c.mu.Unlock()
		c.wait(ctx)
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	switch {
	case known.err != nil:
		return unreachable(known.err, u), true
	case known.deny || !known.allow(path):
		return unclear(0, "link.robots", "host", u.Host), true
	}
	return finding{}, false
}

func (c *LinkClient) askRobots(ctx context.Context, origin string) *askedRobots {
	at := origin + "/robots.txt"
	for range maxRedirects + 1 {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		if err != nil {
			return &askedRobots{err: err}
		}
		r.Header.Set("User-Agent", c.agent)
		answer, err := c.http.Do(r)
		if err != nil {
			return &askedRobots{err: err}
		}
		to, redirected := answer.Location()
		switch {
		case answer.StatusCode >= 300 && answer.StatusCode < 400 && redirected == nil && strings.HasPrefix(to.Scheme, "http"):
			answer.Body.Close()
			at = to.String()
			continue
		case answer.StatusCode >= 500:
			answer.Body.Close()
			return &askedRobots{deny: true}
		case answer.StatusCode != http.StatusOK:
			answer.Body.Close()
			return &askedRobots{}
		}
		rules := parseRobots(io.LimitReader(answer.Body, maxRobots))
		answer.Body.Close()
		return &askedRobots{robots: rules}
	}
	return &askedRobots{}
}

// forget makes the client ask every host's robots.txt again.
func (c *LinkClient) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.robots)
}

// wait lets the host rest, or ctx end.
func (c *LinkClient) wait(ctx context.Context) {
	if c.pause <= 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(c.pause):
	}
}
