// Load on NATS JetStream over its own protocol: what bench/compare does with wrk on the others. Prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	stream      = "bench"
	subject     = "bench.0"
	connections = 4
	answerTime  = 5 * time.Second
)

var (
	url      = flag.String("url", "nats://127.0.0.1:4222", "any server of the cluster")
	inFlight = flag.Int("in-flight", 64, "workers, each of which waits for its answers before it goes on")
	records  = flag.Int("records", 1, "messages that a worker sends before it waits")
	size     = flag.Int("bytes", 1024, "of a message")
	seconds  = flag.Float64("seconds", 4, "how long")
)

func main() {
	flag.Parse()
	contexts := make([]jetstream.JetStream, connections)
	for i := range contexts {
		connection, err := nats.Connect(*url)
		must(err)
		contexts[i], err = jetstream.New(connection, jetstream.WithPublishAsyncMaxPending(1<<16))
		must(err)
	}
	if flag.Arg(0) == "create" {
		leader, err := create(contexts[0])
		must(err)
		say(map[string]any{"leader": leader})
		return
	}
	publish(contexts)
}

// create makes a stream that is replicated to three and kept in files, and says which server leads it.
func create(js jetstream.JetStream) (string, error) {
	ctx, stop := context.WithTimeout(context.Background(), 20*time.Second)
	defer stop()
	made, err := js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: stream, Subjects: []string{subject}, Replicas: 3, Storage: jetstream.FileStorage,
	})
	if err != nil {
		return "", err
	}
	info, err := made.Info(ctx)
	if err != nil {
		return "", err
	}
	return info.Cluster.Leader, nil
}

func publish(contexts []jetstream.JetStream) {
	var mutex sync.Mutex
	var latencies []float64
	failed := 0
	start := time.Now()
	end := start.Add(time.Duration(*seconds * float64(time.Second)))
	var workers sync.WaitGroup
	for worker := range *inFlight {
		workers.Go(func() {
			own, ownFailed := work(contexts[worker%len(contexts)], end)
			mutex.Lock()
			defer mutex.Unlock()
			latencies = append(latencies, own...)
			failed += ownFailed
		})
	}
	workers.Wait()
	sort.Float64s(latencies)
	say(map[string]any{
		"ok": len(latencies), "failed": failed, "seconds": time.Since(start).Seconds(),
		"p50Ms": quantile(latencies, 0.5), "p99Ms": quantile(latencies, 0.99),
	})
}

// work sends messages and waits for all of their answers, again and again; latencies are milliseconds.
func work(js jetstream.JetStream, end time.Time) (latencies []float64, failed int) {
	payload := make([]byte, *size)
	for time.Now().Before(end) {
		began := time.Now()
		if send(js, payload) {
			latencies = append(latencies, float64(time.Since(began).Microseconds())/1000)
		} else {
			failed++
		}
	}
	return latencies, failed
}

func send(js jetstream.JetStream, payload []byte) bool {
	if *records == 1 {
		ctx, stop := context.WithTimeout(context.Background(), answerTime)
		defer stop()
		_, err := js.Publish(ctx, subject, payload)
		return err == nil
	}
	answers := make([]jetstream.PubAckFuture, 0, *records)
	for range *records {
		answer, err := js.PublishAsync(subject, payload)
		if err != nil {
			return false
		}
		answers = append(answers, answer)
	}
	late := time.After(answerTime)
	for _, answer := range answers {
		select {
		case <-answer.Ok():
		case <-answer.Err():
			return false
		case <-late:
			return false
		}
	}
	return true
}

func quantile(sorted []float64, share float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func say(what map[string]any) {
	text, err := json.Marshal(what)
	must(err)
	fmt.Println(string(text))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
