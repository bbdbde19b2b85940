package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
)

type deed struct {
	Event     string `json:"event"`
	Topic     string `json:"topic,omitempty"`
	Partition *int   `json:"partition,omitempty"`
}

type outcome struct {
	Case   string `json:"case"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail,omitempty"`
}

var answers = bufio.NewReader(os.Stdin)

func say(line any) {
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		log.Fatal(err)
	}
}

// ask returns when it is done.
func ask(what deed) {
	say(what)
	answer, err := answers.ReadString('\n')
	if err != nil || strings.TrimSpace(answer) != "done" {
		log.Fatalf("The answer to %s is '%s' (%v).", what.Event, answer, err)
	}
}

// report runs a case and says how it went. What is not as it should be is a panic.
func report(name string, run func()) {
	result := outcome{Case: name, OK: true}
	func() {
		defer func() {
			if failure := recover(); failure != nil {
				log.Printf("%v\n%s", failure, debug.Stack())
				result.OK, result.Detail = false, fmt.Sprint(failure)
			}
		}()
		run()
	}()
	say(result)
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(fmt.Errorf("%T: %w", err, err))
	}
}

func same(actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		panic(fmt.Errorf("%#v is not %#v", actual, expected))
	}
}

func assert(isTrue bool, sentence string) {
	if !isTrue {
		panic(sentence)
	}
}
