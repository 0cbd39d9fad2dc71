package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// allowed are the licences of code that may be linked into a host's service without asking more of
// the host than to name it.
var allowed = map[string]bool{
	"MIT": true, "MIT-0": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "Apache-2.0": true, "ISC": true,
	"MPL-2.0": true, "CC0-1.0": true, "Unlicense": true, "0BSD": true, "FTL": true,
}

// read are modules whose licence somebody has read, because no text that is known is in them.
var read = map[string]string{
	"github.com/golang/freetype": "FTL", // the FreeType licence, like BSD with a credit, or the GPL: the user chooses
}

// minCover is how many percent of a file its licences have to be: names and years are the rest.
const minCover = 60

// licenceFile is how modules name the files with their licences.
var licenceFile = regexp.MustCompile(`(?i)^(licen[sc]e|copying|unlicense)([.-].*)?$`)

// dependency is a module of others whose code is compiled somewhere here, tests included.
type dependency struct{ path, version, dir string }

// checkLicences prints how many modules come under each licence, and fails for one that is not
// allowed or cannot be told.
func checkLicences(out io.Writer, folders []string) error {
	all := map[dependency]bool{}
	for _, folder := range folders {
		found, err := dependencies(folder)
		if err != nil {
			return err
		}
		maps.Copy(all, found)
	}
	counts, faults := map[string]int{}, []string{}
	for d := range all {
		licences, err := licencesOf(d.dir)
		if err != nil {
			return err
		}
		if known, ok := read[d.path]; ok && len(licences) == 0 {
			licences = []string{known}
		}
		if len(licences) == 0 {
			faults = append(faults, fmt.Sprintf("%s %s has no licence that is known", d.path, d.version))
		}
		for _, l := range licences {
			if counts[l]++; !allowed[l] {
				faults = append(faults, fmt.Sprintf("%s %s is under %s", d.path, d.version, l))
			}
		}
	}
	for _, l := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(out, "%4d under %s\n", counts[l], l)
	}
	if slices.Sort(faults); len(faults) > 0 {
		return fmt.Errorf("release: %s", strings.Join(faults, "\nrelease: "))
	}
	return nil
}

// dependencies asks go which modules the packages of a module are compiled from.
func dependencies(folder string) (map[dependency]bool, error) {
	listed, err := goCommand(folder, "list", "-deps", "-test", "-tags", "sqlite_fts5",
		"-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}\t{{with .Replace}}{{.Path}}{{end}}{{end}}{{end}}", "./...")
	if err != nil {
		return nil, err
	}
	all := map[dependency]bool{}
	for lines := bufio.NewScanner(bytes.NewReader(listed)); lines.Scan(); {
		part := strings.Split(lines.Text(), "\t")
		if len(part) == 4 && part[3] == "" { // a module that is replaced is one of this repository
			all[dependency{part[0], part[1], part[2]}] = true
		}
	}
	return all, nil
}

// licencesOf are those of the licence files at the top of a module, each once.
func licencesOf(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	found := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		cover := licensecheck.Scan(text)
		if cover.Percent < minCover {
			continue
		}
		for _, m := range cover.Match {
			if !m.IsURL {
				found[m.ID] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}
