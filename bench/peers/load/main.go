// Load on NATS JetStream over its own protocol: what bench/compare does with wrk and sockets on the others. Prints lines of JSON.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	stream          = "bench"
	subject         = "bench.0"
	connectionCount = 4
	answerTime      = 5 * time.Second
)

var (
	url      = flag.String("url", "nats://127.0.0.1:4222", "any server of the cluster")
	inFlight = flag.Int("in-flight", 64, "workers, each of which waits for its answers before it goes on")
	records  = flag.Int("records", 1, "messages that a worker sends before it waits")
	size     = flag.Int("bytes", 1024, "of a message")
	seconds  = flag.Float64("seconds", 4, "how long")

	subscribers = flag.Int("subscribers", 100, "that read along")
)

func main() {
	flag.Parse()
	connections := make([]*nats.Conn, connectionCount)
	contexts := make([]jetstream.JetStream, connectionCount)
	for i := range contexts {
		var err error
		connections[i], err = nats.Connect(*url)
		must(err)
		contexts[i], err = jetstream.New(connections[i], jetstream.WithPublishAsyncMaxPending(1<<16))
		must(err)
	}
	if flag.Arg(0) == "create" {
		leader, err := create(contexts[0])
		must(err)
		say(map[string]any{"leader": leader})
		return
	}
	switch flag.Arg(0) {
	case "follow":
		follow(connections)
	case "deliver":
		deliver(contexts[0], contexts[1])
	default:
		publish(contexts)
	}
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
	report(latencies, failed, time.Since(start))
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

// subscribe has every message from now on delivered; an ordered consumer keeps its place at the client, like a reader of a log.
func subscribe(js jetstream.JetStream, take func()) {
	ctx, stop := context.WithTimeout(context.Background(), answerTime)
	defer stop()
	consumer, err := js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	must(err)
	_, err = consumer.Consume(func(jetstream.Msg) { take() })
	must(err)
}

// follow reads along with many subscribers, in the cheapest way that there is: from the subject, not from the stream. Each line
// of the standard input is answered with what all have got so far.
func follow(connections []*nats.Conn) {
	var delivered atomic.Int64
	for i := range *subscribers {
		connection := connections[i%len(connections)]
		_, err := connection.Subscribe(subject, func(*nats.Msg) { delivered.Add(1) })
		must(err)
		must(connection.Flush())
	}
	say(map[string]any{"delivered": 0})
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		say(map[string]any{"delivered": delivered.Load()})
	}
}

// deliver sends one message after the other; latencies run from its sending to its arrival at a subscriber.
func deliver(producer, consumer jetstream.JetStream) {
	arrived := make(chan time.Time, 1)
	subscribe(consumer, func() { arrived <- time.Now() })
	payload := make([]byte, *size)
	var latencies []float64
	failed := 0
	start := time.Now()
	for time.Since(start).Seconds() < *seconds {
		began := time.Now()
		if !send(producer, payload) {
			failed++
			continue
		}
		latencies = append(latencies, float64((<-arrived).Sub(began).Microseconds())/1000)
	}
	report(latencies, failed, time.Since(start))
}

func report(latencies []float64, failed int, took time.Duration) {
	sort.Float64s(latencies)
	say(map[string]any{
		"ok": len(latencies), "failed": failed, "seconds": took.Seconds(),
		"p50Ms": quantile(latencies, 0.5), "p99Ms": quantile(latencies, 0.99),
	})
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
