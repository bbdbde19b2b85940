package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"synod.dev/client"
	"synod.dev/client/generated"
)

const (
	errorsTopic    = "errors"
	recordBytesMax = 1_048_576
)

func problemOf(err error) *synod.Problem {
	var problem *synod.Problem
	assert(errors.As(err, &problem), fmt.Sprintf("It is no problem: %v", err))
	return problem
}

func notFound(ctx context.Context, client *synod.Client) {
	_, err := client.API().GetTopicWithResponse(ctx, "nowhere", nil)
	problem := problemOf(err)
	same(problem.Status, 404)
	same(problem.Code, generated.ErrorCodeTopicNotFound)
	assert(problem.Hint != "", "It has no hint.")
}

func conflict(ctx context.Context, client *synod.Client) {
	check(client.CreateTopic(ctx, errorsTopic, partitions(1)))
	problem := problemOf(client.CreateTopic(ctx, errorsTopic, partitions(2)))
	same(problem.Status, 409)
	same(problem.Code, generated.ErrorCodeTopicConfigDiffers)
	expected := int64(5)
	records := []synod.NewRecord{synod.Text("x").OnPartition(0)}
	_, err := client.Produce(ctx, errorsTopic, records, synod.ProduceOptions{ExpectedOffset: &expected})
	same(problemOf(err).Status, 412)
	same(problemOf(err).Code, generated.ErrorCodeOffsetMismatch)
}

func tooLarge(ctx context.Context, client *synod.Client) {
	_, err := client.ProduceBytes(ctx, errorsTopic, make([]byte, recordBytesMax+1), synod.BytesOptions{})
	problem := problemOf(err)
	same(problem.Status, 413)
	same(problem.Code, generated.ErrorCodeRecordTooLarge)
	same(problem.SideEffectsPossible(), false)
}

func unavailable(ctx context.Context, urls []string) {
	const topic = "unavailable"
	client, lonely := must(synod.New(urls)), must(synod.New(urls[:1]))
	records, options := []synod.NewRecord{synod.Text("once")}, synod.ProduceOptions{IdempotencyKey: "unavailable-1"}
	check(client.CreateTopic(ctx, topic, partitions(1)))
	ask(deed{Event: "stop-majority"})
	once, cancel := context.WithTimeout(synod.WithTriesMax(ctx, 1), 5*time.Second)
	defer cancel()
	_, err := lonely.Produce(once, topic, records, options)
	problem := problemOf(err)
	same(problem.Status, 503)
	same(problem.SideEffectsPossible(), false)
	same(problem.Retryable, true)
	codes := []generated.ErrorCode{generated.ErrorCodeNoQuorum, generated.ErrorCodeNoLeader}
	assert(slices.Contains(codes, problem.Code), string(problem.Code))
	assert(problem.RetryAfter() > 0, "It does not say when to try again.")
	ask(deed{Event: "start-all"})
	receipt := must(client.Produce(ctx, topic, records, options))[0]
	same(*receipt.Offset, int64(0))
	again := must(client.Produce(ctx, topic, records, options))[0]
	same(*again.Offset, int64(0))
	same(again.Duplicate, true)
	page := must(client.ReadPage(ctx, topic, synod.PageOptions{ReadAfter: []synod.Receipt{receipt}}))
	same(len(page.Records), 1)
	same(string(page.Records[0].Value), "once")
}
