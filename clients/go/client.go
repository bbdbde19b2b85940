// Package synod is a client of Synod, a replicated, durable message log: produce, read, subscribe.
package synod

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"synod.dev/client/generated"
)

// Client talks to the brokers of a cluster, of which any takes any call. It is safe for use by many goroutines.
//
// Every call fails with a *Problem for what a broker answered and with a *NoAnswer when none did, after it has tried again, at
// other brokers too, as long as that may help and does no harm. A context without a deadline gives up after 30 seconds.
type Client struct {
	addresses []string
	http      *http.Client
	api       *generated.ClientWithResponses
}

// Option changes how a client works.
type Option func(*Client)

// WithHTTPClient makes it use this one, for its certificates or proxies. It should have no Timeout, which would end streams.
func WithHTTPClient(httpClient *http.Client) Option {
	return func(client *Client) { client.http = httpClient }
}

// New makes a client of the brokers with these URLs.
func New(addresses []string, options ...Option) (*Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxConnsPerHost, transport.MaxIdleConnsPerHost = connectionsMax, connectionsMax
	client := &Client{addresses: addresses, http: &http.Client{Transport: transport}}
	for _, option := range options {
		option(client)
	}
	transports, err := newBrokers(addresses, client.http)
	if err != nil {
		return nil, err
	}
	client.api, err = generated.NewClientWithResponses(placeholderOfURL, generated.WithHTTPClient(transports))
	return client, err
}

// API is the whole API, typed, sent in the same way: errors are *Problem and *NoAnswer too.
func (c *Client) API() *generated.ClientWithResponses {
	return c.api
}

// CreateTopic creates the topic, or makes sure that it is as asked for.
func (c *Client) CreateTopic(ctx context.Context, topic string, spec generated.TopicSpec) error {
	response, err := c.api.CreateTopic(ctx, topic, spec)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// ProduceOptions are all optional.
type ProduceOptions struct {
	// IdempotencyKey makes sending the same again safe; drawn if empty.
	IdempotencyKey string
	// AcksAll waits for every replica that is in sync too.
	AcksAll bool
	// ExpectedOffset: stored only if that offset is next in their one partition, else the code is offset-mismatch.
	ExpectedOffset *int64
}

// Produce stores the records, at most 1,000, and returns when a majority has them on disk: a receipt each, in their order. They
// are stored once, however often they are sent. After a *Problem with SideEffectsPossible, or a *NoAnswer that WasSent, they may
// be stored: call again with the same IdempotencyKey.
func (c *Client) Produce(
	ctx context.Context, topic string, records []NewRecord, options ProduceOptions,
) ([]Receipt, error) {
	body, err := batchBody(records)
	if err != nil {
		return nil, err
	}
	params := &generated.ProduceBatchParams{IdempotencyKey: options.key(), ExpectedOffset: options.ExpectedOffset}
	if options.AcksAll {
		all := generated.ProduceBatchParamsAcks("all")
		params.Acks = &all
	}
	response, err := c.api.ProduceBatchWithBody(ctx, topic, params, "application/json", bytes.NewReader(body))
	var answer generated.BatchReceipt
	if err := decode(response, err, &answer); err != nil {
		return nil, err
	}
	return answer.Results, nil
}

// BytesOptions are all optional.
type BytesOptions struct {
	ProduceOptions
	// ContentType is application/octet-stream if empty.
	ContentType string
	Key         *string
	// Partition is where it goes, instead of its key.
	Partition *int
	Headers   map[string]string
}

// ProduceBytes is Produce for one record that is these bytes.
func (c *Client) ProduceBytes(ctx context.Context, topic string, value []byte, options BytesOptions) (Receipt, error) {
	params := &generated.ProduceRecordParams{
		Key: options.Key, IdempotencyKey: options.key(), ExpectedOffset: options.ExpectedOffset,
	}
	if options.Partition != nil {
		partition := int64(*options.Partition)
		params.Partition = &partition
	}
	if options.AcksAll {
		all := generated.ProduceRecordParamsAcks("all")
		params.Acks = &all
	}
	contentType := options.ContentType
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	addHeaders := func(_ context.Context, request *http.Request) error {
		for name, text := range options.Headers {
			request.Header.Set("Record-Header-"+name, text)
		}
		return nil
	}
	body := bytes.NewReader(value)
	response, err := c.api.ProduceRecordWithBody(ctx, topic, params, contentType, body, addHeaders)
	var receipt Receipt
	err = decode(response, err, &receipt)
	return receipt, err
}

// ReadBytes is the value of one record as the bytes that it is; a tombstone has none.
func (c *Client) ReadBytes(
	ctx context.Context, topic string, partition int, offset int64, readAfter ...Receipt,
) ([]byte, error) {
	params := &generated.ReadRecordParams{ReadAfter: placesOf(readAfter)}
	response, err := c.api.ReadRecord(ctx, topic, int32(partition), offset, params)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	return io.ReadAll(response.Body)
}

// PageOptions are all optional.
type PageOptions struct {
	// From is where to begin, the earliest record if empty.
	From string
	// Cursor is that of the page before, instead of From.
	Cursor string
	// Limit is 100 if it is 0, and at most 1,000.
	Limit int
	// ReadAfter are receipts of records that the answer must know of, on whatever broker.
	ReadAfter []Receipt
}

// ReadPage reads some records of all partitions.
func (c *Client) ReadPage(ctx context.Context, topic string, options PageOptions) (Page, error) {
	params := &generated.ReadTopicParams{
		From: given(options.From), Cursor: given(options.Cursor), ReadAfter: placesOf(options.ReadAfter),
	}
	if limit := int64(options.Limit); limit != 0 {
		params.Limit = &limit
	}
	response, err := c.api.ReadTopic(ctx, topic, params)
	var page Page
	err = decode(response, err, &page)
	return page, err
}

func (o *ProduceOptions) key() *string {
	if o.IdempotencyKey != "" {
		return &o.IdempotencyKey
	}
	drawn := rand.Text()
	return &drawn
}

func given(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func decode(response *http.Response, err error, into any) error {
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		return &NoAnswer{Detail: fmt.Sprintf("What came with %s is no answer.", response.Status), WasSent: true, Cause: err}
	}
	return nil
}
