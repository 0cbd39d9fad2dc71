// Command release looks at what has to be right before a tag and that no compiler sees: how the
// modules of the repository require and replace each other, and under which licences the code of
// others comes. It asks no network; modules must be in the module cache.
//
//	go run . modules ../..
//	go run . licences ../..
package main

import (
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: release modules|licences folder")
	}
	folders, err := moduleFolders(args[1])
	if err != nil {
		return err
	}
	switch args[0] {
	case "modules":
		return checkModules(os.Stdout, args[1], folders)
	case "licences":
		return checkLicences(os.Stdout, folders)
	}
	return fmt.Errorf("release: there is no check %q", args[0])
}
