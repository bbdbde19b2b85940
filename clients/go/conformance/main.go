// The cases of clients/CONFORMANCE.md, for the Go client. The argument: the brokers' URLs, with commas.
package main

import (
	"context"
	"log"
	"os"
	"strings"

	"synod.dev/client"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("The argument is the brokers' URLs, with commas between them.")
	}
	urls := strings.Split(os.Args[1], ",")
	client, err := synod.New(urls)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	records := &recordCases{client: client, urls: urls}
	report("create", func() { records.create(ctx) })
	report("raw-bytes", func() { records.rawBytes(ctx) })
	report("batch", func() { records.batch(ctx) })
	report("page", func() { records.page(ctx) })
	report("stream", func() { records.stream(ctx) })
	report("subscribe", func() { records.subscribe(ctx) })
	report("resume", func() { resume(ctx, client) })
	ask(deed{Event: "start-all"})
	report("not-found", func() { notFound(ctx, client) })
	report("conflict", func() { conflict(ctx, client) })
	report("too-large", func() { tooLarge(ctx, client) })
	report("unavailable", func() { unavailable(ctx, urls) })
}
