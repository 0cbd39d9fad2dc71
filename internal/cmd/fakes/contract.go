package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"path/filepath"
	"strings"
)

// contract is what package store declares.
type contract struct {
	files      *token.FileSet
	interfaces map[string]*ast.InterfaceType
}

// role is an interface with all its methods, those of embedded interfaces included. Of says which
// interface hands it out, "" for none of them.
type role struct {
	name, of string
	methods  []method
}

type method struct {
	name string
	in   []param
	out  []string
}

type param struct{ name, kind string }

func parse(folder string) (*contract, error) {
	c := &contract{files: token.NewFileSet(), interfaces: map[string]*ast.InterfaceType{}}
	paths, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(c.files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if it, ok := spec.Type.(*ast.InterfaceType); ok {
					c.interfaces[spec.Name.Name] = it
				}
			}
			return true
		})
	}
	return c, nil
}

// roles are those of a Scope, then Health, then the writer of a stream.
func (c *contract) roles() ([]role, error) {
	scope, ok := c.interfaces["Scope"]
	if !ok {
		return nil, fmt.Errorf("fakes: there is no Scope")
	}
	names := make([]string, 0, len(scope.Methods.List)+2)
	for _, field := range scope.Methods.List {
		names = append(names, field.Names[0].Name)
	}
	var all []role
	for _, name := range append(names, "Health", "MessageStream") {
		r := role{name: name, of: "Scope"}
		switch name {
		case "Health":
			r.of = "Store"
		case "MessageStream":
			r.of = ""
		}
		var err error
		if r.methods, err = c.methods(name); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (c *contract) methods(name string) ([]method, error) {
	it, ok := c.interfaces[name]
	if !ok {
		return nil, fmt.Errorf("fakes: there is no interface %s", name)
	}
	var all []method
	for _, field := range it.Methods.List {
		fn, ok := field.Type.(*ast.FuncType)
		if !ok {
			embedded, err := c.methods(field.Type.(*ast.Ident).Name)
			if err != nil {
				return nil, err
			}
			all = append(all, embedded...)
			continue
		}
		m := method{name: field.Names[0].Name}
		for _, p := range fn.Params.List {
			for _, n := range p.Names {
				m.in = append(m.in, param{n.Name, c.text(p.Type)})
			}
		}
		for _, result := range fn.Results.List {
			for range max(1, len(result.Names)) {
				m.out = append(m.out, c.text(result.Type))
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// text is a type as another package writes it.
func (c *contract) text(e ast.Expr) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, c.files, qualified(e)); err != nil {
		panic(err) // a type that was parsed can be printed
	}
	return b.String()
}

// qualified puts the name of the package before its own types.
func qualified(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.Ident:
		if e.IsExported() {
			return ast.NewIdent("store." + e.Name)
		}
	case *ast.StarExpr:
		return &ast.StarExpr{X: qualified(e.X)}
	case *ast.ArrayType:
		return &ast.ArrayType{Len: e.Len, Elt: qualified(e.Elt)}
	case *ast.Ellipsis:
		return &ast.Ellipsis{Elt: qualified(e.Elt)}
	case *ast.MapType:
		return &ast.MapType{Key: qualified(e.Key), Value: qualified(e.Value)}
	case *ast.IndexExpr:
		return &ast.IndexExpr{X: qualified(e.X), Index: qualified(e.Index)}
	case *ast.IndexListExpr:
		list := &ast.IndexListExpr{X: qualified(e.X)}
		for _, index := range e.Indices {
			list.Indices = append(list.Indices, qualified(index))
		}
		return list
	case *ast.FuncType:
		return &ast.FuncType{Params: qualifiedFields(e.Params), Results: qualifiedFields(e.Results)}
	}
	return e
}

func qualifiedFields(list *ast.FieldList) *ast.FieldList {
	if list == nil {
		return nil
	}
	fields := &ast.FieldList{}
	for _, f := range list.List {
		fields.List = append(fields.List, &ast.Field{Names: f.Names, Type: qualified(f.Type)})
	}
	return fields
}

// call is how Before and a reader name a method.
func (r role) call(m method) string { return r.name + "." + m.name }

func (m method) params() string {
	all := make([]string, 0, len(m.in))
	for _, p := range m.in {
		all = append(all, p.name+" "+p.kind)
	}
	return strings.Join(all, ", ")
}

func (m method) args() string {
	all := make([]string, 0, len(m.in))
	for _, p := range m.in {
		name := p.name
		if strings.HasPrefix(p.kind, "...") {
			name += "..."
		}
		all = append(all, name)
	}
	return strings.Join(all, ", ")
}

func (m method) results() string {
	if len(m.out) == 1 {
		return m.out[0]
	}
	return "(" + strings.Join(m.out, ", ") + ")"
}

func (m method) outNames() []string {
	names := make([]string, 0, len(m.out))
	for i, kind := range m.out {
		if kind == "error" {
			names = append(names, "err")
			continue
		}
		names = append(names, fmt.Sprintf("r%d", i))
	}
	return names
}

// named are the results with names, where Before's error has to be returned beside others.
func (m method) named() string {
	if m.out[len(m.out)-1] != "error" {
		return m.results()
	}
	all := make([]string, 0, len(m.out))
	for i, name := range m.outNames() {
		all = append(all, name+" "+m.out[i])
	}
	return "(" + strings.Join(all, ", ") + ")"
}
