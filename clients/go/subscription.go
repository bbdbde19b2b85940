package synod

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

var defaultCredit = Credit{Records: 2_000, Bytes: 2 << 20}

// SubscribeOptions are all optional.
type SubscribeOptions struct {
	// From: "earliest" (also if empty), "latest", "-10", "time:2026-01-31T12:00:00Z".
	From string
	// Positions are the next offsets of partitions, instead of From: those of an earlier Subscription.
	Positions map[int]int64
	// Partitions are the only ones to read, if given.
	Partitions []int
	// Credit bounds what waits for a slow loop; 2,000 records and 2 MiB for what is 0.
	Credit Credit
}

// Subscription gives the records of a topic, each exactly once and in order within its partition. When a connection breaks it
// goes on at another broker, at the very next offsets. It fails with a *Problem when there is nothing to go on with: the topic is
// not there or was made anew, the next record is trimmed, the request is wrong. It is for one goroutine at a time.
type Subscription struct {
	client    *Client
	brokers   *brokers
	subscribe subscribeFrame
	positions map[int]int64
	// cursor is the place after the last frame that was given out whole, or where the subscription began.
	cursor      string
	frameCursor string
	left        []sizedRecord
	sizeGiven   int
	isGiven     bool
	session     *session
	failures    int
}

// Subscribe reads a topic for as long as one likes. Nothing is sent before the first record is asked for.
func (c *Client) Subscribe(topic string, options SubscribeOptions) *Subscription {
	credit := options.Credit
	if credit.Records <= 0 {
		credit.Records = defaultCredit.Records
	}
	if credit.Bytes <= 0 {
		credit.Bytes = defaultCredit.Bytes
	}
	// With a place of its own among the brokers: where it goes on says nothing about calls.
	own, err := newBrokers(c.addresses, c.http)
	if err != nil {
		panic(err) // New took the same addresses.
	}
	return &Subscription{client: c, brokers: own, positions: map[int]int64{}, subscribe: subscribeFrame{
		Type: "subscribe", ID: subscriptionID, SID: subscriptionID,
		Topic: topic, Partitions: options.Partitions, From: startOf(options), Credit: credit,
	}}
}

// Positions is the next offset of each partition, after what was given out: keep it, and give it to Subscribe to resume later.
func (s *Subscription) Positions() map[int]int64 {
	return maps.Clone(s.positions)
}

// Records iterates until the loop is left, the context ends or nothing can be read any more; an error is the last thing that it
// gives. It closes the subscription.
func (s *Subscription) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		defer s.Close()
		for {
			record, err := s.Next(ctx)
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// Next waits for the next record, over as many sessions as it takes. Who asks for it is done with the one before.
func (s *Subscription) Next(ctx context.Context) (Record, error) {
	if s.isGiven && s.session != nil {
		s.session.done(s.sizeGiven)
	}
	s.isGiven = false
	for len(s.left) == 0 {
		if err := s.nextFrame(ctx); err != nil {
			return Record{}, err
		}
	}
	next := s.left[0]
	s.left = s.left[1:]
	record := next.record
	if due, isKnown := s.positions[record.Partition]; isKnown && record.Offset != due {
		return Record{}, fmt.Errorf("record %d of partition %d came, and %d is due", record.Offset, record.Partition, due)
	}
	s.positions[record.Partition] = record.Offset + 1
	if len(s.left) == 0 {
		s.cursor = s.frameCursor
	}
	s.sizeGiven, s.isGiven = next.size, true
	s.failures = 0
	return record, nil
}

// Close lets the connection go. Next would connect again, and go on.
func (s *Subscription) Close() {
	if s.session != nil {
		s.session.close()
		s.session = nil
	}
}

func (s *Subscription) nextFrame(ctx context.Context) error {
	at, _ := s.brokers.current()
	frame, err := s.frameOfSession(ctx)
	if err == nil {
		s.take(frame)
		return nil
	}
	// A caller that waits no longer loses nothing that came: the session stays.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.Close()
	if !isPassing(err) {
		return err
	}
	s.brokers.moveOn(at)
	s.failures++
	if !sleep(ctx, backoff(s.failures)) {
		return ctx.Err()
	}
	return nil
}

func (s *Subscription) frameOfSession(ctx context.Context) (*serverFrame, error) {
	if s.session == nil {
		subscribe := s.subscribe
		if s.cursor != "" {
			subscribe.From, subscribe.Cursor = "", s.cursor
		}
		_, target := s.brokers.current()
		opened, err := openSession(ctx, s.client.http, target.String(), subscribe)
		if err != nil {
			return nil, err
		}
		s.session = opened
	}
	return s.session.next(ctx)
}

func (s *Subscription) take(frame *serverFrame) {
	if frame.Type == "records" {
		s.left, s.frameCursor = frame.records, frame.Cursor
		return
	}
	// What "latest" or a time means is settled once, so that it means the same after every break.
	if s.cursor == "" {
		s.cursor = frame.Cursor
		for _, place := range frame.Positions {
			s.positions[place.Partition] = place.NextOffset
		}
	}
}

func startOf(options SubscribeOptions) string {
	if len(options.Positions) > 0 {
		places := make([]string, 0, len(options.Positions))
		for _, partition := range slices.Sorted(maps.Keys(options.Positions)) {
			places = append(places, fmt.Sprintf("%d@%d", partition, options.Positions[partition]))
		}
		return strings.Join(places, ",")
	}
	if options.From == "" {
		return "earliest"
	}
	return options.From
}
