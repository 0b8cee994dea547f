package catalogue

import (
	"bufio"
	"io"
	"strings"
)

// robotName is what a robots.txt calls the hub.
const robotName = "calanque"

// A robots is what a host asks of robots (RFC 9309): rules for the hub by its
// name, else for all.
type robots struct{ rules []robotsRule }

type robotsRule struct {
	pattern string
	allow   bool
}

// parseRobots reads a robots.txt. It never fails: what it does not understand
// says nothing.
func parseRobots(r io.Reader) robots {
	var ours, all robots
	var named, anyone, ruled bool // of the group that is read
	found := false                // a group that names the hub
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxRobots)
	for lines.Scan() {
		line, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		key, value = strings.ToLower(strings.TrimSpace(key)), strings.TrimSpace(value)
		switch key {
		case "user-agent":
			if ruled { // a new group
				named, anyone, ruled = false, false, false
			}
			agent, _, _ := strings.Cut(strings.ToLower(value), "/")
			named = named || agent == robotName
			anyone = anyone || agent == "*"
			found = found || named
		case "allow", "disallow":
			ruled = true
			if value == "" {
				continue
			}
			rule := robotsRule{value, key == "allow"}
			if named {
				ours.rules = append(ours.rules, rule)
			}
			if anyone {
				all.rules = append(all.rules, rule)
			}
		}
	}
	if found {
		return ours
	}
	return all
}

// allow tells whether a path with its query may be asked for: the longest
// pattern that fits decides, and of two as long the one that allows.
func (r robots) allow(path string) bool {
	best, allowed := -1, true
	for _, rule := range r.rules {
		if n := len(rule.pattern); (n > best || n == best && rule.allow) && fits(rule.pattern, path) {
			best, allowed = n, rule.allow
		}
	}
	return allowed
}

// fits tells whether a path begins with a pattern, in which * stands for
// anything and $ at the end for the end of the path.
func fits(pattern, path string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(path, parts[0]) {
		return false
	}
	path = path[len(parts[0]):]
	parts = parts[1:]
	for i, part := range parts {
		if whole && i == len(parts)-1 {
			return strings.HasSuffix(path, part)
		}
		_, rest, ok := strings.Cut(path, part)
		if !ok {
			return false
		}
		path = rest
	}
	return !whole || path == ""
}
