package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// goMod is what of `go mod edit -json` counts here.
type goMod struct {
	Module  struct{ Path string }
	Require []struct{ Path, Version string }
	Replace []struct {
		Old, New struct{ Path, Version string }
	}
}

// moduleFolders are those with a go.mod, in order. Folders of tools and of test data have none of ours.
func moduleFolders(root string) ([]string, error) {
	var folders []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata"):
			return fs.SkipDir
		case d.Name() == "go.mod":
			folders = append(folders, filepath.Dir(path))
		}
		return nil
	})
	return folders, err
}

func readMod(folder string) (m goMod, err error) {
	out, err := goCommand(folder, "mod", "edit", "-json")
	if err != nil {
		return m, err
	}
	err = json.Unmarshal(out, &m)
	return m, err
}

// goCommand runs go in a folder. Its error has what go said.
func goCommand(folder string, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "GOWORK=off") // as somebody gets a module who requires it
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("go %s in %s: %s", args[0], folder, strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}

// checkModules lists what a release has to tag and in which order, and fails for a replace that a
// host would miss: Go ignores all of them in a module that is required.
func checkModules(out io.Writer, root string, folders []string) error {
	library, err := readMod(root)
	if err != nil {
		return err
	}
	var faults []string
	for _, folder := range folders {
		m, err := readMod(folder)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, folder)
		if err != nil {
			return err
		}
		if !published(dir) {
			continue
		}
		found, waits := look(library.Module.Path, dir, m)
		faults = append(faults, found...)
		tag := filepath.ToSlash(filepath.Join(dir, "vX.Y.Z"))
		fmt.Fprintf(out, "tag %-34s %s\n", tag, strings.Join(waits, "; "))
	}
	if len(faults) > 0 {
		return fmt.Errorf("release: %s", strings.Join(faults, "\nrelease: "))
	}
	return nil
}

// published says whether others import the module in a folder.
func published(dir string) bool {
	first, _, _ := strings.Cut(filepath.ToSlash(dir), "/")
	return first != "examples" && first != "internal"
}

// look returns what is wrong with the replaces of a module, and what its tag has to wait for.
func look(library, dir string, m goMod) (faults, waits []string) {
	own := func(path string) bool { return path == library || strings.HasPrefix(path, library+"/") }
	var replaced []string
	for _, r := range m.Replace {
		switch {
		case dir == ".":
			faults = append(faults, fmt.Sprintf("go.mod replaces %s: whoever installs a program of it is refused", r.Old.Path))
		case !own(r.Old.Path):
			faults = append(faults, fmt.Sprintf("%s/go.mod replaces %s, which no host does", dir, r.Old.Path))
		}
		replaced = append(replaced, r.Old.Path)
	}
	for _, r := range m.Require {
		if !own(r.Path) {
			continue
		}
		if !slices.Contains(replaced, r.Path) {
			faults = append(faults, fmt.Sprintf("%s/go.mod does not replace %s: the clone is not what is tested", dir, r.Path))
		}
		if r.Version == "v0.0.0" {
			waits = append(waits, "first require the tag of "+r.Path+" instead of v0.0.0")
		}
	}
	if strings.HasPrefix(filepath.ToSlash(dir), "cmd/") && len(replaced) > 0 {
		waits = append(waits, "at the tag remove its replaces, with which go install refuses it")
	}
	return faults, waits
}
