package synod

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"synod.dev/client/generated"
)

const (
	// callTimeout is for all tries of a call together whose context has no deadline.
	callTimeout = 30 * time.Second
	// tryTimeout is for one try of one broker; longer than a broker takes to say that it does not know.
	tryTimeout       = 10 * time.Second
	backoffFirst     = 100 * time.Millisecond
	backoffMax       = 5 * time.Second
	problemBytesMax  = 1 << 20
	connectionsMax   = 100
	placeholderOfURL = "http://broker"
)

type triesMaxKey struct{}

// WithTriesMax bounds how often a call with this context is sent; 1 sends it once, whatever comes of it.
func WithTriesMax(ctx context.Context, triesMax int) context.Context {
	return context.WithValue(ctx, triesMaxKey{}, triesMax)
}

// brokers sends requests to the brokers of a cluster. Any broker takes any request, so it asks one of them and goes on to the
// next when that does not help. It is the transport of the generated client.
type brokers struct {
	urls []*url.URL
	http *http.Client
	at   atomic.Int64
}

func newBrokers(addresses []string, httpClient *http.Client) (*brokers, error) {
	if len(addresses) == 0 {
		return nil, errors.New("a client needs the URL of at least one broker")
	}
	made := &brokers{http: httpClient}
	for _, address := range addresses {
		parsed, err := url.Parse(strings.TrimRight(address, "/"))
		if err != nil {
			return nil, err
		}
		if (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" {
			return nil, fmt.Errorf("'%s' is not the URL of a broker, like http://localhost:8080", address)
		}
		made.urls = append(made.urls, parsed)
	}
	return made, nil
}

func (b *brokers) current() (int64, *url.URL) {
	at := b.at.Load()
	return at, b.urls[at]
}

// moveOn goes on from a broker that did not help, unless another call did so meanwhile.
func (b *brokers) moveOn(from int64) {
	b.at.CompareAndSwap(from, (from+1)%int64(len(b.urls)))
}

// Do gives the answer of a broker, with a status below 400 and its body read, unless it is a stream. Any other answer is an
// error: a *Problem or a *NoAnswer. What failed is sent again exactly when the brokers say that this may help and does no
// harm, or when nobody said anything and sending it twice does none.
func (b *brokers) Do(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	giveUpAt, hasDeadline := ctx.Deadline()
	if !hasDeadline {
		giveUpAt = time.Now().Add(callTimeout)
	}
	triesMax, _ := ctx.Value(triesMaxKey{}).(int)
	mayHaveHappened := false
	for failures := 1; ; failures++ {
		at, target := b.current()
		response, err := b.try(request, target, min(tryTimeout, time.Until(giveUpAt)))
		if err == nil {
			return response, nil
		}
		mayHaveHappened = mayHaveHappened || isUnclear(err)
		isWorthAnother := canBeSentAgain(request, err)
		// Also before giving up: the next call is not to begin at a broker that did not help this one.
		if isWorthAnother {
			b.moveOn(at)
		}
		wait := max(backoff(failures), min(retryAfter(err), backoffMax))
		isOver := failures == triesMax || time.Now().Add(wait).After(giveUpAt)
		if isOver || !isWorthAnother || !sleep(ctx, wait) {
			if mayHaveHappened {
				return nil, asUnclear(err)
			}
			return nil, err
		}
	}
}

func (b *brokers) try(request *http.Request, target *url.URL, timeout time.Duration) (*http.Response, error) {
	// Not a context with a timeout: that would end streams, whose bodies are read long after this.
	ctx, cancel := context.WithCancel(request.Context())
	timer := time.AfterFunc(timeout, cancel)
	defer timer.Stop()
	var isConnected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { isConnected.Store(true) }}
	attempt := request.Clone(httptrace.WithClientTrace(ctx, trace))
	attempt.URL = addressedTo(target, request.URL)
	attempt.Host = ""
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			cancel()
			return nil, err
		}
		attempt.Body = body
	}
	response, err := b.http.Do(attempt)
	if err != nil {
		cancel()
		return nil, noAnswer(request, target, isConnected.Load(), err)
	}
	if response.StatusCode < http.StatusBadRequest && isStream(response) {
		response.Body = &stream{response.Body, cancel}
		return response, nil
	}
	defer cancel()
	defer response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		body, err := io.ReadAll(io.LimitReader(response.Body, problemBytesMax))
		if err != nil {
			return nil, noAnswer(request, target, true, err)
		}
		return nil, problemOf(response.StatusCode, body, attempt.URL.String())
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, noAnswer(request, target, true, err)
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// stream is a body without an end that was foreseen; closing it ends the request.
type stream struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (s *stream) Close() error {
	s.cancel()
	return s.ReadCloser.Close()
}

func isStream(response *http.Response) bool {
	contentType := response.Header.Get("Content-Type")
	return strings.HasPrefix(contentType, "application/x-ndjson") || strings.HasPrefix(contentType, "text/event-stream")
}

func addressedTo(target, asked *url.URL) *url.URL {
	addressed := *asked
	addressed.Scheme, addressed.Host, addressed.User = target.Scheme, target.Host, target.User
	if target.Path != "" {
		addressed.RawPath = target.EscapedPath() + asked.EscapedPath()
		addressed.Path = target.Path + asked.Path
	}
	return &addressed
}

func noAnswer(request *http.Request, target *url.URL, wasSent bool, cause error) *NoAnswer {
	// That the caller gave up says more than what the connection says of it.
	if err := request.Context().Err(); err != nil {
		cause = err
	}
	if wasSent {
		return &NoAnswer{Detail: fmt.Sprintf("%s did not answer.", target), WasSent: true, Cause: cause}
	}
	return &NoAnswer{Detail: fmt.Sprintf("%s cannot be reached.", target), Cause: cause}
}

func isUnclear(err error) bool {
	switch err := err.(type) {
	case *Problem:
		return err.SideEffectsPossible()
	case *NoAnswer:
		return err.WasSent
	}
	return true
}

func canBeSentAgain(request *http.Request, err error) bool {
	if request.Body != nil && request.Body != http.NoBody && request.GetBody == nil {
		return false
	}
	switch err := err.(type) {
	case *Problem:
		return err.Retryable || (err.Code == generated.ErrorCodeOutcomeUnknown && isHarmlessTwice(request))
	case *NoAnswer:
		return !err.WasSent || isHarmlessTwice(request)
	}
	return false
}

// isHarmlessTwice tells whether it only reads, or sets, or has what makes a produce idempotent.
func isHarmlessTwice(request *http.Request) bool {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut:
		return true
	}
	return request.Header.Get("Idempotency-Key") != "" || request.Header.Get("Producer-Id") != ""
}

// asUnclear: what the last try says of itself does not hold for the tries before it.
func asUnclear(err error) error {
	switch err := err.(type) {
	case *Problem:
		err.SideEffects = "possible"
	case *NoAnswer:
		err.WasSent = true
	}
	return err
}

func retryAfter(err error) time.Duration {
	if problem, ok := err.(*Problem); ok {
		return problem.RetryAfter()
	}
	return 0
}

// backoff is how long to wait after the n-th failure in a row, from 1: doubled each time, half of it by chance.
func backoff(failures int) time.Duration {
	full := min(backoffMax, backoffFirst<<min(failures-1, 10))
	return full/2 + rand.N(full/2)
}

// sleep tells whether the context lasted so long.
func sleep(ctx context.Context, duration time.Duration) bool {
	timer := time.NewTimer(duration)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
