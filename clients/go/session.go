package synod

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"synod.dev/client/generated"
)

const (
	subscriptionID = "a"
	openTimeout    = 5 * time.Second
	// silenceMax is how long a socket may be silent: a heartbeat comes every 15 seconds.
	silenceMax      = 40 * time.Second
	messageBytesMax = 64 << 20
)

// Credit is what the brokers may send before the loop has taken it: all that ever waits in the client.
type Credit struct {
	Records int `json:"records"`
	// Bytes of keys and values. A single record that is larger comes alone.
	Bytes int `json:"bytes"`
}

type subscribeFrame struct {
	Type       string `json:"type"`
	ID         string `json:"id"`
	SID        string `json:"sid"`
	Topic      string `json:"topic"`
	Partitions []int  `json:"partitions,omitempty"`
	From       string `json:"from,omitempty"`
	Cursor     string `json:"cursor,omitempty"`
	Credit     Credit `json:"credit"`
}

type creditFrame struct {
	Type string `json:"type"`
	SID  string `json:"sid"`
	Credit
}

// session is one WebSocket with one subscription, and the frames that came over it and are not taken yet. A goroutine reads the
// socket all the time, so that pings are answered however slow the consumer is.
type session struct {
	socket *websocket.Conn
	credit Credit
	// frames has room for all that the credit allows, so reading never waits for the consumer.
	frames chan *serverFrame
	// end is why the session ended; read it when frames is closed.
	end   error
	taken Credit
	// life ends with the session. Sending ends with it and not with the context of who asks for a record, which would cut the
	// socket off in the middle of a frame.
	life   context.Context
	cancel context.CancelFunc
}

// openSession fails with a *Problem for a handshake that was refused, and with a *NoAnswer if there was none.
func openSession(ctx context.Context, httpClient *http.Client, address string, subscribe subscribeFrame) (*session, error) {
	opening, stopOpening := context.WithTimeout(ctx, openTimeout)
	defer stopOpening()
	socket, response, err := websocket.Dial(opening, address+"/v1/ws", &websocket.DialOptions{
		HTTPClient:      httpClient,
		Subprotocols:    []string{subprotocol},
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		if response != nil && response.StatusCode >= http.StatusBadRequest {
			body, _ := io.ReadAll(response.Body)
			return nil, problemOf(response.StatusCode, body, address)
		}
		return nil, &NoAnswer{Detail: fmt.Sprintf("%s cannot be reached.", address), Cause: err}
	}
	socket.SetReadLimit(messageBytesMax)
	// The frame of subscribed, and one for each record: a frame has at least one.
	made := &session{socket: socket, credit: subscribe.Credit, frames: make(chan *serverFrame, subscribe.Credit.Records+1)}
	made.life, made.cancel = context.WithCancel(context.Background())
	if err := made.send(subscribe); err != nil {
		made.close()
		return nil, err
	}
	go made.read()
	return made, nil
}

// next gives the next frame of records or of subscribed. It fails with how the session ended, after all that came before that.
func (s *session) next(ctx context.Context) (*serverFrame, error) {
	select {
	case frame, isOpen := <-s.frames:
		if !isOpen {
			return nil, s.end
		}
		return frame, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// done: the reader is done with a record that cost so much, and as much more may come. Told in halves of the credit.
func (s *session) done(size int) {
	s.taken.Records++
	s.taken.Bytes += size
	if s.taken.Records*2 < s.credit.Records && s.taken.Bytes*2 < s.credit.Bytes {
		return
	}
	grant := creditFrame{"credit", subscriptionID, s.taken}
	s.taken = Credit{}
	// That it is closed is said by next, after all that came before.
	_ = s.send(grant)
}

func (s *session) close() {
	s.cancel()
	_ = s.socket.CloseNow()
}

func (s *session) send(frame any) error {
	message, err := encodeFrame(frame)
	if err != nil {
		return err
	}
	sending, cancel := context.WithTimeout(s.life, silenceMax)
	defer cancel()
	if err := s.socket.Write(sending, websocket.MessageBinary, message); err != nil {
		return &NoAnswer{Detail: "The session broke.", WasSent: true, Cause: err}
	}
	return nil
}

func (s *session) read() {
	defer close(s.frames)
	defer s.socket.CloseNow()
	for {
		frame, err := s.readFrame()
		if err == nil {
			err = endOf(frame)
		}
		if err != nil {
			s.end = err
			return
		}
		if frame.Type != "records" && frame.Type != "subscribed" {
			continue
		}
		select {
		case s.frames <- frame:
		case <-s.life.Done():
			s.end = &NoAnswer{Detail: "The session was closed.", WasSent: true}
			return
		}
	}
}

func (s *session) readFrame() (*serverFrame, error) {
	reading, cancel := context.WithTimeout(s.life, silenceMax)
	defer cancel()
	kind, message, err := s.socket.Read(reading)
	if err != nil {
		return nil, endOfSocket(err)
	}
	if kind != websocket.MessageBinary {
		return nil, &NoAnswer{Detail: "A text message came.", WasSent: true}
	}
	frame, err := decodeFrame(message)
	if err != nil {
		// What is no frame comes from something between, or from a broker that is broken.
		return nil, &NoAnswer{Detail: "The session broke.", WasSent: true, Cause: err}
	}
	return frame, nil
}

// endOf is how the session ends, if the frame ends it.
func endOf(frame *serverFrame) error {
	switch frame.Type {
	case "moving":
		return &NoAnswer{Detail: "The broker stops.", WasSent: true}
	case "error":
		if frame.Problem == nil {
			return &NoAnswer{Detail: "An error without a problem came.", WasSent: true}
		}
		return &Problem{*frame.Problem}
	case "reset":
		return trimmed(frame.Lost)
	}
	return nil
}

func endOfSocket(err error) error {
	// With these a broker says that it makes no sense to come again.
	if code := websocket.CloseStatus(err); code >= 4500 && code <= 4599 {
		return fmt.Errorf("the session ended for good: %w", err)
	}
	return &NoAnswer{Detail: "The session broke.", WasSent: true, Cause: err}
}

func trimmed(lostCount int64) *Problem {
	return &Problem{generated.Problem{
		Code:                 generated.ErrorCodeOffsetTrimmed,
		Status:               http.StatusGone,
		Title:                "The records are no longer there",
		Detail:               fmt.Sprintf("%d records that come next are trimmed.", lostCount),
		Hint:                 "Subscribe again from the earliest record.",
		SideEffects:          "none",
		AdditionalProperties: map[string]any{"lost": lostCount},
	}}
}

// isPassing: a reader goes on at another broker after it; any other error will not pass by itself.
func isPassing(err error) bool {
	var problem *Problem
	if errors.As(err, &problem) {
		return problem.Retryable || problem.Status >= http.StatusInternalServerError
	}
	var noAnswer *NoAnswer
	return errors.As(err, &noAnswer)
}
