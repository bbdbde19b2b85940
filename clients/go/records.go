package synod

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"synod.dev/client/generated"
)

// Form is how a value is to be understood.
type Form string

const (
	FormJSON  Form = "json"
	FormText  Form = "text"
	FormBytes Form = "bytes"
	// FormNone is that of a tombstone, which has no value.
	FormNone Form = ""
)

// Record is a record as a reader gets it.
type Record struct {
	Topic     string
	Partition int
	// Offset is dense within the partition, from 0.
	Offset    int64
	Timestamp time.Time
	// Key is nil if there is none.
	Key         *string
	ContentType string
	Headers     map[string]string
	Form        Form
	// Value is as it was produced, byte for byte: the text of a JSON value, UTF-8, or bytes, as Form tells.
	Value []byte
}

// IsTombstone tells that the record has no value: what its key stood for is gone.
func (r *Record) IsTombstone() bool {
	return r.Form == FormNone
}

// Decode reads a value that is JSON.
func (r *Record) Decode(into any) error {
	if r.Form != FormJSON {
		return fmt.Errorf("record %d of partition %d is no JSON but '%s'", r.Offset, r.Partition, r.Form)
	}
	return json.Unmarshal(r.Value, into)
}

// recordHead is what stands beside the value, over HTTP and in frames.
type recordHead struct {
	Topic       string            `json:"topic"`
	Partition   int               `json:"partition"`
	Offset      *int64            `json:"offset"`
	Timestamp   time.Time         `json:"timestamp"`
	Key         *string           `json:"key"`
	ContentType string            `json:"contentType"`
	Headers     map[string]string `json:"headers"`
}

func (h *recordHead) record(form Form, value []byte) Record {
	return Record{h.Topic, h.Partition, *h.Offset, h.Timestamp, h.Key, h.ContentType, h.Headers, form, value}
}

// UnmarshalJSON reads a record as it comes over HTTP. The generated type has no place for a null that is a value.
func (r *Record) UnmarshalJSON(data []byte) error {
	var said struct {
		recordHead
		Value  json.RawMessage `json:"value"`
		Text   *string         `json:"text"`
		Base64 *string         `json:"base64"`
	}
	if err := json.Unmarshal(data, &said); err != nil {
		return err
	}
	if said.Offset == nil {
		return errors.New("a record has no offset")
	}
	switch {
	case said.Value != nil:
		*r = said.record(FormJSON, said.Value)
	case said.Text != nil:
		*r = said.record(FormText, []byte(*said.Text))
	case said.Base64 != nil:
		value, err := base64.StdEncoding.DecodeString(*said.Base64)
		if err != nil {
			return err
		}
		*r = said.record(FormBytes, value)
	default:
		*r = said.record(FormNone, nil)
	}
	return nil
}

// NewRecord is a record to produce: made by JSON, Text, Bytes or Tombstone.
type NewRecord struct {
	form  Form
	value []byte
	head  newRecordHead
	err   error
}

type newRecordHead struct {
	Key       *string           `json:"key,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Partition *int              `json:"partition,omitempty"`
	Timestamp *time.Time        `json:"timestamp,omitempty"`
}

// JSON makes a record of any value that encoding/json can write. A json.RawMessage is stored byte for byte.
func JSON(value any) NewRecord {
	if raw, ok := value.(json.RawMessage); ok {
		if !json.Valid(raw) {
			return NewRecord{err: errors.New("a json.RawMessage is no JSON")}
		}
		return NewRecord{form: FormJSON, value: raw}
	}
	encoded, err := encodeJSON(value)
	return NewRecord{form: FormJSON, value: encoded, err: err}
}

// Text makes a record of a text, which is UTF-8.
func Text(text string) NewRecord {
	if !utf8.ValidString(text) {
		return NewRecord{err: errors.New("a text is no UTF-8: produce it as Bytes")}
	}
	return NewRecord{form: FormText, value: []byte(text)}
}

// Bytes makes a record of any bytes.
func Bytes(value []byte) NewRecord {
	return NewRecord{form: FormBytes, value: value}
}

// Tombstone makes a record without a value: what its key stood for is gone.
func Tombstone() NewRecord {
	return NewRecord{}
}

// WithKey gives it a key: records of one key are in one partition, in order.
func (n NewRecord) WithKey(key string) NewRecord {
	if !utf8.ValidString(key) {
		n.err = errors.New("a key is no UTF-8")
	}
	n.head.Key = &key
	return n
}

// WithHeaders gives it headers; their names are stored in lower case.
func (n NewRecord) WithHeaders(headers map[string]string) NewRecord {
	n.head.Headers = headers
	return n
}

// OnPartition says where it goes, instead of its key.
func (n NewRecord) OnPartition(partition int) NewRecord {
	n.head.Partition = &partition
	return n
}

// At gives it a time of its own, which is only shown.
func (n NewRecord) At(timestamp time.Time) NewRecord {
	n.head.Timestamp = &timestamp
	return n
}

// batchBody writes values itself: encoding/json would make JSON shorter and write some of its characters in another way, and a
// value is kept byte for byte.
func batchBody(records []NewRecord) ([]byte, error) {
	var body bytes.Buffer
	body.WriteString(`{"records":[`)
	for index, record := range records {
		if record.err != nil {
			return nil, fmt.Errorf("record %d: %w", index, record.err)
		}
		if index > 0 {
			body.WriteByte(',')
		}
		if err := record.write(&body); err != nil {
			return nil, fmt.Errorf("record %d: %w", index, err)
		}
	}
	body.WriteString(`]}`)
	return body.Bytes(), nil
}

func (n NewRecord) write(body *bytes.Buffer) error {
	head, err := encodeJSON(n.head)
	if err != nil {
		return err
	}
	body.Write(bytes.TrimSuffix(head, []byte("}")))
	separator := ","
	if len(head) == len("{}") {
		separator = ""
	}
	switch n.form {
	case FormJSON:
		fmt.Fprintf(body, `%s"value":%s`, separator, n.value)
	case FormText:
		encoded, err := encodeJSON(string(n.value))
		if err != nil {
			return err
		}
		fmt.Fprintf(body, `%s"text":%s`, separator, encoded)
	case FormBytes:
		fmt.Fprintf(body, `%s"base64":"%s"`, separator, base64.StdEncoding.EncodeToString(n.value))
	}
	body.WriteByte('}')
	return nil
}

func encodeJSON(value any) ([]byte, error) {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(encoded.Bytes(), []byte("\n")), err
}

// Receipt says where a record is stored. It is on the disks of a majority.
type Receipt = generated.Receipt

// Page is some records of all partitions.
type Page struct {
	Records []Record `json:"records"`
	// Cursor is where the next page begins.
	Cursor string `json:"cursor"`
	// UpToDate: there was nothing more to read.
	UpToDate bool `json:"upToDate"`
}

// placesOf is what Read-After names, so that a read knows of these records on any broker.
func placesOf(receipts []Receipt) *string {
	last := map[int64]int64{}
	for _, receipt := range receipts {
		if receipt.Offset != nil {
			last[receipt.Partition] = max(last[receipt.Partition], *receipt.Offset)
		}
	}
	if len(last) == 0 {
		return nil
	}
	places := make([]string, 0, len(last))
	for partition, offset := range last {
		places = append(places, fmt.Sprintf("%d@%d", partition, offset))
	}
	joined := strings.Join(places, ",")
	return &joined
}
