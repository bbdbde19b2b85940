package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"synod.dev/client"
	"synod.dev/client/generated"
)

const (
	recordsTopic = "records"
	batchCount   = 100
	pageCount    = 30
)

var credit = synod.Credit{Records: 10, Bytes: 10_000}

func partitions(count int64) generated.TopicSpec {
	return generated.TopicSpec{Partitions: &count}
}

// valueOf has spaces and a character that encoding/json would write in another way: what is JSON is kept byte for byte.
func valueOf(index int) (synod.Form, []byte) {
	switch {
	case index == 50:
		return synod.FormNone, nil
	case index == 51:
		return synod.FormJSON, []byte("null")
	case index%3 == 0:
		return synod.FormJSON, fmt.Appendf(nil, `{"index": %d, "nested": [null, true, "<ß>"]}`, index)
	case index%3 == 1:
		return synod.FormText, fmt.Appendf(nil, "text %d \u2028 <✓>", index)
	}
	return synod.FormBytes, []byte{byte(index), 0, 255}
}

func newRecord(index int) synod.NewRecord {
	form, value := valueOf(index)
	made := synod.Tombstone()
	switch form {
	case synod.FormJSON:
		made = synod.JSON(json.RawMessage(value))
	case synod.FormText:
		made = synod.Text(string(value))
	case synod.FormBytes:
		made = synod.Bytes(value)
	}
	return made.WithKey(keyOf(index)).WithHeaders(headersOf(index))
}

func keyOf(index int) string {
	return fmt.Sprintf("key-%d", index%7)
}

func headersOf(index int) map[string]string {
	return map[string]string{"index": fmt.Sprint(index), "umlaut": "ü"}
}

type recordCases struct {
	client   *synod.Client
	urls     []string
	receipts []synod.Receipt
}

func (r *recordCases) create(ctx context.Context) {
	check(r.client.CreateTopic(ctx, "created", partitions(3)))
	check(r.client.CreateTopic(ctx, "created", partitions(3)))
	topic := must(r.client.API().GetTopicWithResponse(ctx, "created", nil)).JSON200
	same(topic.Name, "created")
	same(len(topic.Partitions), 3)
}

func (r *recordCases) rawBytes(ctx context.Context) {
	value := make([]byte, 256)
	for index := range value {
		value[index] = byte(index)
	}
	options := synod.BytesOptions{ContentType: "application/x-all-bytes"}
	receipt := must(r.client.ProduceBytes(ctx, "created", value, options))
	same(must(r.client.ReadBytes(ctx, "created", int(receipt.Partition), *receipt.Offset, receipt)), value)
	for record, err := range r.client.Subscribe("created", synod.SubscribeOptions{}).Records(ctx) {
		check(err)
		same(record.ContentType, "application/x-all-bytes")
		same(record.Value, value)
		break
	}
}

func (r *recordCases) batch(ctx context.Context) {
	check(r.client.CreateTopic(ctx, recordsTopic, partitions(3)))
	records := make([]synod.NewRecord, batchCount)
	for index := range records {
		records[index] = newRecord(index)
	}
	r.receipts = must(r.client.Produce(ctx, recordsTopic, records, synod.ProduceOptions{}))
	same(len(r.receipts), batchCount)
	// In their order: the offsets of each partition are those that come next.
	following := map[int64]int64{}
	for _, receipt := range r.receipts {
		same(receipt.Topic, recordsTopic)
		same(*receipt.Offset, following[receipt.Partition])
		same(receipt.Duplicate, false)
		following[receipt.Partition]++
	}
}

func (r *recordCases) page(ctx context.Context) {
	var seen []synod.Record
	options := synod.PageOptions{Limit: pageCount, ReadAfter: r.receipts}
	for {
		page := must(r.client.ReadPage(ctx, recordsTopic, options))
		assert(len(page.Records) <= pageCount, "A page is larger than asked for.")
		seen = append(seen, page.Records...)
		options.Cursor = page.Cursor
		if page.UpToDate {
			break
		}
	}
	r.assertBatch(seen)
}

func (r *recordCases) stream(ctx context.Context) {
	var seen []synod.Record
	for record, err := range r.client.Stream(ctx, recordsTopic, synod.StreamOptions{ReadAfter: r.receipts}) {
		check(err)
		seen = append(seen, record)
	}
	r.assertBatch(seen)
}

// subscribe counts what came over the socket apart from the client, so that it cannot flatter itself.
func (r *recordCases) subscribe(ctx context.Context) {
	var counter recordCounter
	client := must(synod.New(r.urls, synod.WithHTTPClient(counter.httpClient())))
	var seen []synod.Record
	for record, err := range client.Subscribe(recordsTopic, synod.SubscribeOptions{Credit: credit}).Records(ctx) {
		check(err)
		// Time for a broker to send more than it may.
		time.Sleep(3 * time.Millisecond)
		waiting := counter.count() - len(seen)
		assert(waiting > 0, "A record was given that never came.")
		assert(waiting <= credit.Records, fmt.Sprintf("%d records wait.", waiting))
		seen = append(seen, record)
		if len(seen) == batchCount {
			break
		}
	}
	r.assertBatch(seen)
}

// assertBatch: each is where its receipt says and as it was sent, in order within its partition, and there is no other one.
func (r *recordCases) assertBatch(seen []synod.Record) {
	same(len(seen), batchCount)
	places := map[[2]int64]int{}
	for index, receipt := range r.receipts {
		places[[2]int64{receipt.Partition, *receipt.Offset}] = index
	}
	following := map[int]int64{}
	for _, record := range seen {
		same(record.Offset, following[record.Partition])
		following[record.Partition]++
		index := places[[2]int64{int64(record.Partition), record.Offset}]
		form, value := valueOf(index)
		same(record.Form, form)
		same(string(record.Value), string(value))
		same(record.IsTombstone(), index == 50)
		same(*record.Key, keyOf(index))
		same(record.Headers, headersOf(index))
	}
}
