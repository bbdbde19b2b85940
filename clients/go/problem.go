package synod

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"synod.dev/client/generated"
)

// Problem is what a broker answered instead of what was asked for (RFC 9457). Find it with errors.As.
//
// AdditionalProperties has the facts that go with some codes, like highWatermark.
type Problem struct {
	generated.Problem
}

func (p *Problem) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: %s %s", p.Code, p.Detail, p.Hint))
}

// SideEffectsPossible tells whether something may have been stored or changed although the call failed.
func (p *Problem) SideEffectsPossible() bool {
	return p.SideEffects != "none"
}

// RetryAfter is when trying again may help; 0 if the broker does not say.
func (p *Problem) RetryAfter() time.Duration {
	if p.RetryAfterMs == nil {
		return 0
	}
	return time.Duration(*p.RetryAfterMs) * time.Millisecond
}

// NoAnswer means that no broker answered, or that the connection broke before it had.
type NoAnswer struct {
	Detail string
	// WasSent: the request may have reached a broker, so what it asked for may have been done.
	WasSent bool
	Cause   error
}

func (n *NoAnswer) Error() string {
	if n.Cause == nil {
		return n.Detail
	}
	return fmt.Sprintf("%s %v", n.Detail, n.Cause)
}

func (n *NoAnswer) Unwrap() error {
	return n.Cause
}

// CodeUnexpectedAnswer is the code of a Problem that this client made of an answer that no broker gives.
const CodeUnexpectedAnswer generated.ErrorCode = "unexpected-answer"

// problemOf is what a broker, or something between, answered with an error status.
func problemOf(status int, body []byte, address string) *Problem {
	var said Problem
	if json.Unmarshal(body, &said.Problem) == nil && said.Code != "" {
		return &said
	}
	// A proxy's page is no problem document; its status is all there is to know.
	isPassing := status == http.StatusBadGateway || status == http.StatusServiceUnavailable ||
		status == http.StatusGatewayTimeout
	return &Problem{generated.Problem{
		Code:        CodeUnexpectedAnswer,
		Status:      status,
		Title:       "Something else than a broker answered",
		Detail:      fmt.Sprintf("%s answered %d.", address, status),
		Hint:        "Check the address of the broker.",
		Retryable:   isPassing,
		SideEffects: "possible",
	}}
}
