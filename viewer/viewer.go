// Package viewer is the pages, the map and every sentence a person reads, in
// three languages, embedded.
//
// The pages are complete HTML without JavaScript (templates/); the Svelte
// application of src/, built by Vite into dist/, takes the map page over where
// scripts run. Both read the same dictionaries (i18n/) and the same icons.
// Pictures without script are drawn by SVG. There is no HTTP and no database
// here: package api fills the models and writes what is made of them.
package viewer

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// Policy is the Content-Security-Policy of every page: nothing comes from
// anywhere else, and no inline script or style is obeyed.
const Policy = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'"

// Assets are the files that pages ask for under /assets/: scripts, style and
// fonts. All names but the fonts' carry a hash of their content, so they may
// be cached for ever. It is empty when the viewer has not been built.
func Assets() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the directory is embedded: its placeholder is committed
	}
	return sub
}

// Built reports whether the Svelte application is in the binary. Without it
// the pages still work, with the browser's own looks; `make build` makes it.
func Built() bool { return bundle().Entry != "" }

// files are what a page loads of dist, as URL paths.
type files struct {
	Entry    string            // the script
	Styles   []string          // style sheets
	Imports  []string          // modules the entry needs at once
	Language map[string]string // the dictionary of each language, loaded on its own

	Atelier       string   // the script of the pages of mapping sessions
	AtelierStyles []string // and their style sheets
	Away          string   // the worker that stands for a room while the hub is away

	Portal       string   // the script of the portal's pages
	PortalStyles []string // and their style sheets, over Styles
}

// bundle reads Vite's manifest, once.
var bundle = sync.OnceValue(func() files {
	data, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return files{}
	}
	f, err := parseManifest(data)
	if err != nil {
		panic(err) // made by the build beside this file
	}
	return f
})

// A chunk is one entry of Vite's manifest.
type chunk struct {
	File    string   `json:"file"`
	CSS     []string `json:"css"`
	Imports []string `json:"imports"`
	Assets  []string `json:"assets"`
	IsEntry bool     `json:"isEntry"`
}

func parseManifest(data []byte) (files, error) {
	var chunks map[string]chunk
	if err := json.Unmarshal(data, &chunks); err != nil {
		return files{}, fmt.Errorf("manifest of the viewer: %w", err)
	}
	f := files{Language: map[string]string{}}
	main, ok := chunks["src/main.ts"]
	if !ok {
		return files{}, fmt.Errorf("manifest of the viewer: no src/main.ts")
	}
	f.Entry = assetPath(main.File)
	for _, css := range main.CSS {
		f.Styles = append(f.Styles, assetPath(css))
	}
	for _, key := range main.Imports {
		f.Imports = append(f.Imports, assetPath(chunks[key].File))
		for _, css := range chunks[key].CSS {
			f.Styles = append(f.Styles, assetPath(css))
		}
	}
	f.Atelier, f.AtelierStyles = entry(chunks, "src/atelier.ts")
	f.Away, _ = entry(chunks, "src/away.ts")
	f.Portal, f.PortalStyles = entry(chunks, "src/portal.ts")
	for _, lang := range Languages {
		if c, ok := chunks["src/i18n/"+lang+".ts"]; ok {
			f.Language[lang] = assetPath(c.File)
		}
	}
	return f, nil
}

// entry gives a script with its style sheets; "" when the build has none.
func entry(chunks map[string]chunk, name string) (script string, styles []string) {
	c, ok := chunks[name]
	if !ok {
		return "", nil
	}
	for _, key := range c.Imports {
		for _, css := range chunks[key].CSS {
			styles = append(styles, assetPath(css))
		}
	}
	for _, css := range c.CSS {
		styles = append(styles, assetPath(css))
	}
	return assetPath(c.File), styles
}

func assetPath(file string) string { return "/assets/" + file }
