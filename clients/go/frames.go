package synod

import (
	"encoding/binary"
	"encoding/json"
	"errors"

	"synod.dev/client/generated"
)

// subprotocol is that of binary frames: values come as the bytes that they are, so that credit in bytes adds up exactly.
const subprotocol = "synod.v1.bin"

const lengthBytes = 4

var errNoFrame = errors.New("what came is no frame")

// serverFrame is any frame of a broker: the members of those that this client knows.
type serverFrame struct {
	Type      string             `json:"type"`
	Cursor    string             `json:"cursor"`
	Positions []position         `json:"positions"`
	Problem   *generated.Problem `json:"problem"`
	Lost      int64              `json:"lost"`
	Records   []frameRecord      `json:"records"`
	// records are Records with their values.
	records []sizedRecord
}

type position struct {
	Partition  int   `json:"partition"`
	NextOffset int64 `json:"nextOffset"`
}

type frameRecord struct {
	recordHead
	Form Form `json:"form"`
	Size *int `json:"size"`
}

// sizedRecord is a record and what it costs of the credit: the bytes of its key and value.
type sizedRecord struct {
	record Record
	size   int
}

func encodeFrame(frame any) ([]byte, error) {
	header, err := encodeJSON(frame)
	if err != nil {
		return nil, err
	}
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(header))), header...), nil
}

func decodeFrame(message []byte) (*serverFrame, error) {
	if len(message) < lengthBytes {
		return nil, errNoFrame
	}
	headerSize := int(binary.BigEndian.Uint32(message))
	values := message[lengthBytes:]
	if headerSize > len(values) {
		return nil, errNoFrame
	}
	frame := &serverFrame{}
	if err := json.Unmarshal(values[:headerSize], frame); err != nil {
		return nil, errors.Join(errNoFrame, err)
	}
	values = values[headerSize:]
	for _, head := range frame.Records {
		size := 0
		if head.Size != nil {
			size = *head.Size
		}
		if head.Offset == nil || size < 0 || size > len(values) {
			return nil, errNoFrame
		}
		value := values[:size:size]
		values = values[size:]
		if head.Size == nil {
			// Neither form nor size: a tombstone.
			head.Form, value = FormNone, nil
		} else if head.Form == FormNone {
			head.Form = FormBytes
		}
		keySize := 0
		if head.Key != nil {
			keySize = len(*head.Key)
		}
		frame.records = append(frame.records, sizedRecord{head.record(head.Form, value), keySize + size})
	}
	return frame, nil
}
