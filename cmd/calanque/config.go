package main

import (
	"os"
	"path/filepath"
)

// config is what the environment and the flags of the same names decide.
// Nothing below this package reads either.
type config struct {
	Addr        string `env:"CALANQUE_ADDR" name:"addr" default:"127.0.0.1:8080" help:"Address to serve on." placeholder:"HOST:PORT"`
	Data        string `env:"CALANQUE_DATA" name:"data" help:"Data folder (default: ${data_default})." placeholder:"FOLDER"`
	DatabaseURL string `env:"DATABASE_URL" name:"database-url" help:"PostgreSQL to use instead of the private one." placeholder:"URL"`
	PublicURL   string `env:"CALANQUE_PUBLIC_URL" name:"public-url" help:"Address that visitors use (default: the one they ask for)." placeholder:"URL"`
}

// defaultData is where data lives when nobody says: never inside a checkout,
// because cleaning one must not erase citizens' answers.
func defaultData() string {
	if os.Geteuid() == 0 {
		return "/var/lib/calanque"
	}
	if d := os.Getenv("XDG_DATA_HOME"); d != "" {
		return filepath.Join(d, "calanque")
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, ".local", "share", "calanque")
	}
	return filepath.Join(os.TempDir(), "calanque")
}

func (c *config) dataFolder() string {
	if c.Data != "" {
		return c.Data
	}
	return defaultData()
}
