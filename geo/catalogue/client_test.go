package catalogue

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func TestOuter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		address string
		want    bool
	}{
		{"93.184.216.34", true},
		{"1.1.1.1", true},
		{"172.32.0.1", true},
		{"100.128.0.1", true},
		{"2606:4700::1", true},
		{"2a01:cb00::1", true},
		{"::ffff:93.184.216.34", true},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"10.0.0.1", false},
		{"100.64.0.1", false},
		{"127.0.0.1", false},
		{"127.255.1.2", false},
		{"169.254.169.254", false},
		{"172.16.0.1", false},
		{"172.31.255.255", false},
		{"192.0.0.1", false},
		{"192.0.2.1", false},
		{"192.168.1.1", false},
		{"198.19.0.1", false},
		{"198.51.100.1", false},
		{"203.0.113.1", false},
		{"224.0.0.1", false},
		{"240.0.0.1", false},
		{"255.255.255.255", false},
		{"::", false},
		{"::1", false},
		{"::7f00:1", false},
		{"::ffff:127.0.0.1", false},
		{"::ffff:10.1.2.3", false},
		{"::ffff:169.254.169.254", false},
		{"::ffff:0:7f00:1", false},
		{"64:ff9b::7f00:1", false},
		{"64:ff9b:1::1", false},
		{"100::1", false},
		{"2001:0:7f00:1::", false},
		{"2001:db8::1", false},
		{"2002:7f00:1::", false},
		{"fc00::1", false},
		{"fd12::1", false},
		{"fe80::1", false},
		{"fe80::1%eth0", false},
		{"fec0::1", false},
		{"ff02::1", false},
		{"2606:4700::1%eth0", false},
	} {
		if got := outer(netip.MustParseAddr(c.address)); got != c.want {
			t.Errorf("outer(%s): got %t, want %t", c.address, got, c.want)
		}
	}
}

// A trap is a server inside that nobody may reach.
func trap(t *testing.T) (port string, reached *atomic.Int64) {
	reached = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			reached.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port, reached
}

// TestInnerSpellings tries every way to write an address inside: none is
// connected to.
func TestInnerSpellings(t *testing.T) {
	t.Parallel()
	port, reached := trap(t)
	// Some resolvers read these as numbers, some as names: this one says that
	// every name is this machine.
	c := NewLinkClient(ClientOptions{Pause: -1, Resolver: namesAre(t, func(string) net.IP { return net.IPv4(127, 0, 0, 1) })})
	for _, host := range []string{
		"127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.0.0.1.",
		"localhost", "LOCALHOST", "localhost.", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]",
		"[::127.0.0.1]", "[64:ff9b::127.0.0.1]", "[::1%25lo]", "①②⑦.⓪.⓪.①", "127。0。0。1", "user:pass@127.0.0.1", "exemple.fr@127.0.0.1",
		"rebind.exemple.fr", "169.254.169.254", "10.0.0.1", "192.168.0.1", "100.64.0.1",
	} {
		f, ok := c.try(t.Context(), "http://"+host+":"+port+"/", false)
		if !ok || !f.broken || f.message == nil {
			t.Errorf("http://%s:%s/: %+v, want it refused", host, port, f)
		}
		if host == "rebind.exemple.fr" && f.message.Code != "link.inner" {
			t.Errorf("a name that leads inside: %s, want link.inner", f.message.Code)
		}
	}
	for _, link := range []string{"file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1:" + port + "/", "http:///", "http://%zz/", "//127.0.0.1/", ""} {
		if f, _ := c.try(t.Context(), link, false); !f.broken || f.message.Code != "link.bad" {
			t.Errorf("%q: %+v, want link.bad", link, f)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d connections to the server inside, want none", n)
	}
}

// TestRebinding gives a name that is outside when it is looked at and inside
// when it is connected to.
func TestRebinding(t *testing.T) {
	t.Parallel()
	port, reached := trap(t)
	var asked atomic.Int64
	resolver := namesAre(t, func(string) net.IP {
		if asked.Add(1) == 1 {
			return net.IPv4(93, 184, 216, 34)
		}
		return net.IPv4(127, 0, 0, 1)
	})
	// Whoever checks the name first is told that it is outside.
	if ips, err := resolver.LookupIP(t.Context(), "ip4", "rebind.exemple.fr"); err != nil || !ips[0].Equal(net.IPv4(93, 184, 216, 34)) {
		t.Fatalf("the first look: %v, %v", ips, err)
	}
	c := NewLinkClient(ClientOptions{Pause: -1, Resolver: resolver})
	f, _ := c.try(t.Context(), "http://rebind.exemple.fr:"+port+"/", false)
	if !f.broken || f.message.Code != "link.inner" || reached.Load() != 0 {
		t.Errorf("got %+v and %d connections, want link.inner and none", f, reached.Load())
	}
}

// TestRedirectInside follows a redirect from a server that may be asked to one
// that may not: the dialer looks at every hop.
func TestRedirectInside(t *testing.T) {
	t.Parallel()
	port, reached := trap(t)
	outside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		http.Redirect(w, r, "http://127.0.0.1:"+port+"/latest/meta-data/", http.StatusFound)
	}))
	t.Cleanup(outside.Close)
	c := NewLinkClient(ClientOptions{Pause: -1})
	// The one server that this test lets stand for the internet.
	dialer := &net.Dialer{Control: onlyOuter}
	c.http.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address == outside.Listener.Addr().String() {
			return new(net.Dialer).DialContext(ctx, network, address)
		}
		return dialer.DialContext(ctx, network, address)
	}
	f, _ := c.try(t.Context(), outside.URL+"/donnees.csv", false)
	if !f.broken || f.message.Code != "link.inner" || reached.Load() != 0 {
		t.Errorf("got %+v and %d connections, want link.inner and none", f, reached.Load())
	}
}

// namesAre makes a resolver that answers every question for an IPv4 address
// with what it is told, and the others with nothing.
func namesAre(t *testing.T, answer func(name string) net.IP) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := dnsReply(buf[:n], answer); reply != nil {
				_, _ = server.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", server.LocalAddr().String())
	}}
}

// dnsReply answers a question of RFC 1035 with one address, or none.
func dnsReply(q []byte, answer func(string) net.IP) []byte {
	if len(q) < 12 {
		return nil
	}
	var labels []string
	at := 12
	for at < len(q) && q[at] != 0 {
		n := int(q[at])
		if at+1+n > len(q) {
			return nil
		}
		labels = append(labels, string(q[at+1:at+1+n]))
		at += 1 + n
	}
	end := at + 5
	if end > len(q) {
		return nil
	}
	reply := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end]...)
	if kind := binary.BigEndian.Uint16(q[at+1:]); kind == 1 {
		reply[7] = 1
		reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		reply = append(reply, answer(strings.Join(labels, ".")).To4()...)
	}
	return reply
}

// TestTry asks a server that behaves in every way a link was seen to.
func TestTry(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var log []string
	mux := http.NewServeMux()
	mux.HandleFunc("/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "User-agent: *\nDisallow: /prive\n\nUser-agent: Calanque\nDisallow: /pas-nous\nDisallow: /*.zip$\n")
	})
	status := func(path string, head, get int) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(head)
				return
			}
			w.WriteHeader(get)
		})
	}
	status("/ok", 200, 500)
	status("/no-head", 405, 206)
	status("/head-lies", 404, 200)
	status("/gone", 410, 410)
	status("/missing", 404, 404)
	status("/server", 500, 500)
	status("/login", 401, 401)
	status("/params", 400, 400)
	status("/empty", 405, 416)
	status("/prive", 200, 200)
	status("/pas-nous", 200, 200)
	status("/tout.zip", 200, 200)
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ok#x", http.StatusMovedPermanently)
	})
	mux.HandleFunc("/into-robots", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/pas-nous", http.StatusFound) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		for range 1 << 20 {
			if _, err := w.Write(make([]byte, 1<<10)); err != nil {
				return
			}
		}
		t.Error("the whole of an endless body was read")
	})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		log = append(log, r.Method+" "+r.URL.Path+" "+r.UserAgent())
		mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	silent := httptest.NewServer(http.NotFoundHandler())
	silent.Close()
	c := NewLinkClient(ClientOptions{Pause: -1, AllowInner: true, About: "https://donnees.exemple.fr/aide"})
	for _, tc := range []struct {
		link    string
		service bool
		status  int
		code    string // of the message, "" for none
		broken  bool
	}{
		{"/ok", false, 200, "", false},
		{"/no-head", false, 206, "", false},
		{"/head-lies", false, 200, "", false},
		{"/empty", false, 416, "", false},
		{"/once", false, 200, "", false},
		{"/endless", false, 200, "", false},
		{"/prive", false, 200, "", false}, // our own group stands for all others
		{"/gone", false, 410, "link.gone", true},
		{"/missing", false, 404, "link.gone", true},
		{"/server", false, 500, "link.status", true},
		{"/params", false, 400, "link.status", true},
		{"/params", true, 400, "", false},
		{"/loop", false, 0, "link.redirects", true},
		{"/away", false, 0, "link.bad", true},
		{"/login", false, 401, "link.forbidden", false},
		{"/pas-nous", false, 0, "link.robots", false},
		{"/into-robots", false, 0, "link.robots", false},
		{"/tout.zip", false, 0, "link.robots", false},
		{silent.URL, false, 0, "link.silent", true},
	} {
		link := tc.link
		if strings.HasPrefix(link, "/") {
			link = server.URL + link
		}
		f, ok := c.try(t.Context(), link, tc.service)
		code := ""
		if f.message != nil {
			code = f.message.Code
		}
		if !ok || f.status != tc.status || code != tc.code || f.broken != tc.broken {
			t.Errorf("%s: got %d %q broken %t, want %d %q %t", tc.link, f.status, code, f.broken, tc.status, tc.code, tc.broken)
		}
	}
	robots := 0
	for _, line := range log {
		if !strings.HasSuffix(line, "Calanque (link check; +https://donnees.exemple.fr/aide)") {
			t.Errorf("%s: the request does not say who asks", line)
		}
		if strings.HasPrefix(line, "GET /robots.txt ") {
			robots++
		}
	}
	if robots != 1 {
		t.Errorf("robots.txt was asked for %d times, want once", robots)
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, ok := c.try(ended, server.URL+"/ok", false); ok {
		t.Error("a link that was not tried to its end was judged")
	}
}

// TestRobotsBroken stays away from a host whose robots.txt is a mistake.
func TestRobotsBroken(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(s.Close)
	c := NewLinkClient(ClientOptions{Pause: -1, AllowInner: true})
	if f, _ := c.try(t.Context(), s.URL+"/x", false); f.broken || f.message == nil || f.message.Code != "link.robots" {
		t.Errorf("got %+v, want link.robots", f)
	}
}

func TestRobots(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, path string
		want             bool
	}{
		{"empty", "", "/x", true},
		{"all", "User-agent: *\nDisallow: /", "/x", false},
		{"empty disallow", "User-agent: *\nDisallow:", "/x", true},
		{"longest wins", "User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true},
		{"allow wins a tie", "User-agent: *\nDisallow: /a\nAllow: /a", "/a", true},
		{"other robot", "User-agent: Autre\nDisallow: /", "/x", true},
		{"our name", "User-agent: *\nDisallow: /\n\nUser-agent: CALANQUE/1.0\nAllow: /", "/x", true},
		{"two names", "User-agent: autre\nUser-agent: calanque\nDisallow: /x", "/x", false},
		{"star and end", "User-agent: *\nDisallow: /*.csv$", "/a/b.csv", false},
		{"star and no end", "User-agent: *\nDisallow: /*.csv$", "/a/b.csv?x", true},
		{"query", "User-agent: *\nDisallow: /*?", "/wfs?request=x", false},
		{"comment, bom, case", "\ufeffUSER-AGENT: * # tous\r\ndisallow: /x # ici\r\n", "/x", false},
		{"html instead", "<html><body>Not found: /</body></html>", "/x", true},
		{"sitemap between", "User-agent: *\nSitemap: https://x/\nDisallow: /x", "/x", false},
	} {
		if got := parseRobots(strings.NewReader(c.file)).allow(c.path); got != c.want {
			t.Errorf("%s: got %t, want %t", c.name, got, c.want)
		}
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("User-agent: *\nDisallow: /a*b$\nAllow: /", "/ab")
	f.Add("User-agent: calanque\nDisallow: ***$", "/")
	f.Fuzz(func(t *testing.T, file, path string) {
		r := parseRobots(strings.NewReader(file))
		if len(r.rules) == 0 && !r.allow(path) {
			t.Error("a file without rules forbids")
		}
	})
}
