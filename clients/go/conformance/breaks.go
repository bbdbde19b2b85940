package main

import (
	"context"

	"synod.dev/client"
	"synod.dev/client/generated"
)

const (
	resumedTopic = "resumed"
	resumedCount = 500
	killAfter    = 200
)

// resume: the leader is killed while one side writes and the other reads.
func resume(ctx context.Context, client *synod.Client) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	check(client.CreateTopic(ctx, resumedTopic, partitions(1)))
	type reading struct {
		seen []synod.Record
		err  error
	}
	read := make(chan reading, 1)
	go func() {
		seen, err := readAll(ctx, client)
		read <- reading{seen, err}
	}()
	for index := range resumedCount {
		if index == killAfter {
			partition := 0
			ask(deed{Event: "kill-leader", Topic: resumedTopic, Partition: &partition})
		}
		receipts := must(client.Produce(ctx, resumedTopic, []synod.NewRecord{synod.JSON(index)}, synod.ProduceOptions{}))
		// A duplicate is a try after one that was stored and whose answer was lost; the offset shows that it is stored once.
		same(*receipts[0].Offset, int64(index))
	}
	result := <-read
	check(result.err)
	same(len(result.seen), resumedCount)
	for index, record := range result.seen {
		var value int
		check(record.Decode(&value))
		same([]int{int(record.Offset), value}, []int{index, index})
	}
	linearizable := generated.GetOffsetsParamsLinearizable("true")
	params := &generated.GetOffsetsParams{Linearizable: &linearizable}
	end := must(client.API().GetOffsetsWithResponse(ctx, resumedTopic, 0, params)).JSON200
	same(end.Latest, int64(resumedCount))
}

func readAll(ctx context.Context, client *synod.Client) ([]synod.Record, error) {
	var seen []synod.Record
	for record, err := range client.Subscribe(resumedTopic, synod.SubscribeOptions{}).Records(ctx) {
		if err != nil {
			return nil, err
		}
		seen = append(seen, record)
		if len(seen) == resumedCount {
			break
		}
	}
	return seen, nil
}
