package main

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// Operation is one line of a history: what a client asked, what it was told, and when, in nanoseconds of one clock. An outcome
// that nobody knows has no return time of its own: it may take effect until the end of time.
type Operation struct {
	Object   string `json:"object"`
	Client   int    `json:"client"`
	Action   string `json:"action"`
	Outcome  string `json:"outcome"`
	ID       string `json:"id"`
	Offset   int    `json:"offset"`
	CallNs   int64  `json:"callNs"`
	ReturnNs int64  `json:"returnNs"`
}

// A topic whose creation nobody was told of has an id that nobody knows.
const unknownID = "?"

// topicModel: a name holds no topic (""), or one with an id. Created anew, it has another id.
var topicModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{""} },
	Step: func(state, input, _ interface{}) []interface{} {
		id, operation := state.(string), input.(Operation)
		isUnknown := operation.Outcome == "unknown"
		switch operation.Action {
		case "create":
			if isUnknown && id == "" {
				return []interface{}{"", unknownID}
			}
			if isUnknown {
				return []interface{}{id}
			}
			if operation.Outcome == "created" {
				return when(id == "", operation.ID)
			}
			return when(id != "" && (id == operation.ID || id == unknownID), operation.ID)
		case "delete":
			if isUnknown {
				return []interface{}{id, ""}
			}
			if operation.Outcome == "absent" {
				return when(id == "", "")
			}
			return when(id != "", "")
		case "get":
			if operation.Outcome == "absent" {
				return when(id == "", "")
			}
			return when(id != "" && (id == operation.ID || id == unknownID), operation.ID)
		}
		panic(fmt.Sprintf("A topic knows no action %q.", operation.Action))
	},
	DescribeOperation: describe,
}

// endModel: the end of a partition's log. An append that gets offset n finds the end at n and leaves it at n+1.
var endModel = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{0} },
	Step: func(state, input, _ interface{}) []interface{} {
		end, operation := state.(int), input.(Operation)
		switch operation.Action {
		case "append":
			return when(end == operation.Offset, end+1)
		case "end":
			return when(end == operation.Offset, end)
		}
		panic(fmt.Sprintf("A partition knows no action %q.", operation.Action))
	},
	DescribeOperation: describe,
}

func when(isLegal bool, next interface{}) []interface{} {
	if !isLegal {
		return nil
	}
	return []interface{}{next}
}

func describe(input, _ interface{}) string {
	operation := input.(Operation)
	return fmt.Sprintf("%s: %s %s %d", operation.Action, operation.Outcome, operation.ID, operation.Offset)
}

func modelOf(kind string) (porcupine.Model, error) {
	switch kind {
	case "topic":
		return topicModel.ToModel(), nil
	case "end":
		return endModel.ToModel(), nil
	}
	return porcupine.Model{}, fmt.Errorf("There is no model %q.", kind)
}
