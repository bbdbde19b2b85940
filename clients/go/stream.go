package synod

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"

	"synod.dev/client/generated"
)

// StreamOptions are all optional.
type StreamOptions struct {
	// From is where to begin, the earliest record if empty.
	From string
	// Partition is the only one to read, if given.
	Partition *int
	// Follow also gives what comes.
	Follow bool
	// ReadAfter are receipts of records that the stream must know of, on whatever broker.
	ReadAfter []Receipt
}

// Stream iterates over what is there now, or with Follow also what comes, over one HTTP connection; the broker is held back while
// the loop is busy. It does not go on by itself when the connection breaks (*NoAnswer): Subscribe does. An error is the last
// thing that it gives. A deadline of the context holds for the whole of it.
func (c *Client) Stream(ctx context.Context, topic string, options StreamOptions) iter.Seq2[Record, error] {
	from, follow := options.From, generated.StreamTopicParamsFollow("false")
	if from == "" {
		from = "earliest"
	}
	if options.Follow {
		follow = "true"
	}
	params := &generated.StreamTopicParams{From: &from, Follow: &follow, ReadAfter: placesOf(options.ReadAfter)}
	if options.Partition != nil {
		partition := int64(*options.Partition)
		params.Partition = &partition
	}
	return func(yield func(Record, error) bool) {
		response, err := c.api.StreamTopic(ctx, topic, params)
		if err != nil {
			yield(Record{}, err)
			return
		}
		defer response.Body.Close()
		lines := bufio.NewReader(response.Body)
		for {
			record, err := nextLine(lines)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(record, err) || err != nil {
				return
			}
		}
	}
}

// nextLine fails with io.EOF at an orderly end.
func nextLine(lines *bufio.Reader) (Record, error) {
	for {
		line, err := lines.ReadBytes('\n')
		line = bytes.TrimSpace(line)
		if len(line) > 0 {
			return recordOfLine(line)
		}
		if err == io.EOF {
			return Record{}, err
		}
		if err != nil {
			return Record{}, &NoAnswer{Detail: "The stream broke.", WasSent: true, Cause: err}
		}
	}
}

func recordOfLine(line []byte) (Record, error) {
	var said struct {
		Problem *generated.Problem `json:"problem"`
	}
	var record Record
	err := json.Unmarshal(line, &record)
	if err == nil {
		return record, nil
	}
	if json.Unmarshal(line, &said) == nil && said.Problem != nil {
		return Record{}, &Problem{*said.Problem}
	}
	return Record{}, &NoAnswer{Detail: "The stream broke within a line.", WasSent: true, Cause: err}
}
