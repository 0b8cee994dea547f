package main

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	gotypes "go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// serialPackages are those that make test runs without the race detector.
func serialPackages(t *testing.T) (list []string) {
	t.Helper()
	b, err := os.ReadFile("../../.make/serial")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			list = append(list, line)
		}
	}
	if len(list) == 0 {
		t.Fatal(".make/serial names no package")
	}
	return list
}

// TestSerialPackages holds what .make/serial says of the packages that are
// tested without the race detector.
func TestSerialPackages(t *testing.T) {
	t.Parallel()
	for _, pkg := range serialPackages(t) {
		files, err := filepath.Glob(filepath.Join("../..", pkg, "*.go"))
		if err != nil || len(files) == 0 {
			t.Errorf("%s has no files (%v)", pkg, err)
			continue
		}
		set := token.NewFileSet()
		byName := map[string][]*ast.File{} // the package and its outer tests
		for _, name := range files {
			f, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			byName[f.Name.Name] = append(byName[f.Name.Name], f)
		}
		for _, list := range byName {
			for _, fault := range concurrency(set, list) {
				t.Errorf("%s is no package to be tested without the race detector: take it off .make/serial", fault)
			}
		}
	}
}

// concurrency lists where files of one package do what a race needs.
func concurrency(set *token.FileSet, files []*ast.File) (faults []string) {
	fault := func(at ast.Node, what string) {
		faults = append(faults, set.Position(at.Pos()).String()+" "+what)
	}
	uses := map[*ast.Ident]gotypes.Object{}
	// Other packages are not loaded: what is missing of them is no matter here.
	config := gotypes.Config{Error: func(error) {}, Importer: noImports{}}
	pkg, _ := config.Check("p", set, files, &gotypes.Info{Uses: uses})
	written := func(to ast.Expr) {
		if name := root(to); name != nil {
			if v, ok := uses[name].(*gotypes.Var); ok && v.Parent() == pkg.Scope() {
				fault(to, "writes to the variable "+v.Name()+" of the package")
			}
		}
	}
	for _, f := range files {
		test := strings.HasSuffix(set.Position(f.Pos()).Filename, "_test.go")
		for _, imp := range f.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			if path == "sync/atomic" || strings.HasPrefix(path, "golang.org/x/sync/") || path == "net/http" {
				fault(imp, "imports "+path)
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				fault(n, "starts a goroutine")
			case *ast.SelectorExpr:
				x, ok := n.X.(*ast.Ident)
				switch {
				case ok && n.Sel.Name == "AfterFunc" && (x.Name == "time" || x.Name == "context"):
					fault(n, "starts a goroutine")
				// What is made once, and what tests make once for all of them, is made by one.
				case ok && x.Name == "sync" && !test && n.Sel.Name != "OnceValue" && n.Sel.Name != "OnceValues":
					fault(n, "shares by sync."+n.Sel.Name)
				}
			case *ast.AssignStmt:
				for _, to := range n.Lhs {
					if n.Tok != token.DEFINE && !test {
						written(to)
					}
				}
			case *ast.IncDecStmt:
				written(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND && !test {
					if _, composite := n.X.(*ast.CompositeLit); !composite {
						written(n.X)
					}
				}
			}
			return true
		})
	}
	return faults
}

// root is the name at the start of what is assigned to: a of a.b[c].
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

type noImports struct{}

func (noImports) Import(string) (*gotypes.Package, error) { return nil, errors.New("not needed") }
