// Says whether histories are linearizable, one object at a time: `checker KIND HISTORY [TIMEOUT]`, KIND being topic or end.
// Exit code 0: all are; 1: one is not, and a picture of it lies beside the history; 3: the time did not suffice for one.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: checker topic|end HISTORY [TIMEOUT]")
		os.Exit(2)
	}
	timeout := time.Minute
	if len(os.Args) > 3 {
		timeout = must(time.ParseDuration(os.Args[3]))
	}
	code := check(os.Args[1], os.Args[2], timeout)
	os.Exit(code)
}

func check(kind, path string, timeout time.Duration) int {
	model := must(modelOf(kind))
	objects := must(readHistory(path))
	names := make([]string, 0, len(objects))
	for name := range objects {
		names = append(names, name)
	}
	sort.Strings(names)
	counts := map[porcupine.CheckResult]int{}
	operations := 0
	for _, name := range names {
		result, info := porcupine.CheckOperationsVerbose(model, objects[name], timeout)
		counts[result]++
		operations += len(objects[name])
		if result == porcupine.Ok {
			continue
		}
		picture := fmt.Sprintf("%s.%s.html", path, name)
		if err := porcupine.VisualizePath(model, info, picture); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		fmt.Printf("%s %s: %s, see %s\n", kind, name, result, picture)
	}
	fmt.Printf("%s: %d operations on %d objects: %d linearizable, %d not, %d undecided\n", kind, operations, len(names),
		counts[porcupine.Ok], counts[porcupine.Illegal], counts[porcupine.Unknown])
	if counts[porcupine.Illegal] > 0 {
		return 1
	}
	if counts[porcupine.Unknown] > 0 {
		return 3
	}
	return 0
}

func readHistory(path string) (map[string][]porcupine.Operation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	objects := map[string][]porcupine.Operation{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var operation Operation
		if err := json.Unmarshal(lines.Bytes(), &operation); err != nil {
			return nil, err
		}
		objects[operation.Object] = append(objects[operation.Object], porcupine.Operation{
			ClientId: operation.Client,
			Input:    operation,
			Call:     operation.CallNs,
			Return:   operation.ReturnNs,
		})
	}
	return objects, lines.Err()
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return value
}
