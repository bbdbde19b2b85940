package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func verdict(t *testing.T, kind string, operations []Operation) int {
	t.Helper()
	path := filepath.Join(t.TempDir(), "history.jsonl")
	file := must(os.Create(path))
	for _, operation := range operations {
		operation.Object = "x"
		line := must(json.Marshal(operation))
		must(file.Write(append(line, '\n')))
	}
	file.Close()
	return check(kind, path, 10*time.Second)
}

const forever = 1 << 62

// Each pair: a history that is linearizable, and one with the anomaly that must be found.
func TestTopics(t *testing.T) {
	create := Operation{Client: 1, Action: "create", Outcome: "created", ID: "a", CallNs: 1, ReturnNs: 2}
	gone := Operation{Client: 1, Action: "delete", Outcome: "done", CallNs: 3, ReturnNs: 6}
	cases := map[string]struct {
		operations []Operation
		code       int
	}{
		"read while it is deleted":       {[]Operation{create, gone, {Client: 2, Action: "get", Outcome: "found", ID: "a", CallNs: 4, ReturnNs: 9}}, 0},
		"read after it was deleted":      {[]Operation{create, gone, {Client: 2, Action: "get", Outcome: "found", ID: "a", CallNs: 7, ReturnNs: 9}}, 1},
		"absent after it was created":    {[]Operation{create, {Client: 2, Action: "get", Outcome: "absent", CallNs: 3, ReturnNs: 4}}, 1},
		"created twice":                  {[]Operation{create, {Client: 2, Action: "create", Outcome: "created", ID: "b", CallNs: 3, ReturnNs: 4}}, 1},
		"another one without a deletion": {[]Operation{create, {Client: 2, Action: "get", Outcome: "found", ID: "b", CallNs: 3, ReturnNs: 4}}, 1},
		"a creation nobody was told of": {[]Operation{
			{Client: 1, Action: "create", Outcome: "unknown", CallNs: 1, ReturnNs: forever},
			{Client: 2, Action: "get", Outcome: "absent", CallNs: 3, ReturnNs: 4},
			{Client: 2, Action: "get", Outcome: "found", ID: "a", CallNs: 5, ReturnNs: 6}}, 0},
		"a creation nobody was told of, undone": {[]Operation{
			{Client: 1, Action: "create", Outcome: "unknown", CallNs: 1, ReturnNs: forever},
			{Client: 2, Action: "get", Outcome: "found", ID: "a", CallNs: 3, ReturnNs: 4},
			{Client: 2, Action: "get", Outcome: "absent", CallNs: 5, ReturnNs: 6}}, 1},
	}
	for name, each := range cases {
		if code := verdict(t, "topic", each.operations); code != each.code {
			t.Errorf("%s: %d instead of %d", name, code, each.code)
		}
	}
}

func TestEnds(t *testing.T) {
	first := Operation{Client: 1, Action: "append", Offset: 0, CallNs: 1, ReturnNs: 2}
	cases := map[string]struct {
		operations []Operation
		code       int
	}{
		"seen":             {[]Operation{first, {Client: 2, Action: "end", Offset: 1, CallNs: 3, ReturnNs: 4}}, 0},
		"too old":          {[]Operation{first, {Client: 2, Action: "end", Offset: 0, CallNs: 3, ReturnNs: 4}}, 1},
		"under way":        {[]Operation{first, {Client: 2, Action: "end", Offset: 0, CallNs: 1, ReturnNs: 4}}, 0},
		"one offset twice": {[]Operation{first, {Client: 2, Action: "append", Offset: 0, CallNs: 3, ReturnNs: 4}}, 1},
		"falls": {[]Operation{
			{Client: 1, Action: "append", Offset: 0, CallNs: 1, ReturnNs: forever},
			{Client: 2, Action: "end", Offset: 1, CallNs: 3, ReturnNs: 4},
			{Client: 3, Action: "end", Offset: 0, CallNs: 5, ReturnNs: 6}}, 1},
	}
	for name, each := range cases {
		if code := verdict(t, "end", each.operations); code != each.code {
			t.Errorf("%s: %d instead of %d", name, code, each.code)
		}
	}
}
