package synod

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

const passing = `{"code":"no-leader","status":503,"retryable":true,"sideEffects":"none","retryAfterMs":1}`

// answering gives a broker that answers its n-th request, from 1, as told; a nil answer breaks the connection.
func answering(t *testing.T, answer func(count int64, keys string) (int, string)) (string, *atomic.Int64) {
	t.Helper()
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		_, _ = io.ReadAll(request.Body)
		status, body := answer(count.Add(1), request.Header.Get("Idempotency-Key"))
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		writer.Header().Set("Content-Type", "application/json")
		writer.WriteHeader(status)
		_, _ = io.WriteString(writer, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, &count
}

func clientOf(t *testing.T, urls ...string) *Client {
	t.Helper()
	client, err := New(urls)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestAProduceIsSentAgainWithTheSameKeyAfterAConnectionThatBroke(t *testing.T) {
	var keys []string
	url, _ := answering(t, func(count int64, key string) (int, string) {
		keys = append(keys, key)
		if count == 1 {
			return 0, ""
		}
		return 201, `{"results":[{"topic":"t","partition":0,"offset":7,"timestamp":"2026-01-31T12:00:00Z","duplicate":true}]}`
	})
	receipts, err := clientOf(t, url).Produce(t.Context(), "t", []NewRecord{Text("x")}, ProduceOptions{})
	if err != nil || *receipts[0].Offset != 7 {
		t.Fatalf("%v %v", receipts, err)
	}
	if len(keys) < 2 || keys[0] == "" || keys[0] != keys[len(keys)-1] {
		t.Fatalf("keys %v", keys)
	}
}

func TestACallThatMayNotBeSentTwiceIsNotSentAgainAfterAConnectionThatBroke(t *testing.T) {
	url, count := answering(t, func(int64, string) (int, string) { return 0, "" })
	_, err := clientOf(t, url).API().DrainBrokerWithResponse(t.Context(), "a")
	var noAnswer *NoAnswer
	if !errors.As(err, &noAnswer) || !noAnswer.WasSent || count.Load() != 1 {
		t.Fatalf("%v after %d", err, count.Load())
	}
}

func TestACallGoesOnAtTheNextBrokerWhenTheProblemSaysThatItIsSafe(t *testing.T) {
	first, firstCount := answering(t, func(int64, string) (int, string) { return 503, passing })
	second, secondCount := answering(t, func(int64, string) (int, string) { return 202, `{}` })
	_, err := clientOf(t, first, second).API().DrainBrokerWithResponse(t.Context(), "a")
	if err != nil || firstCount.Load() != 1 || secondCount.Load() != 1 {
		t.Fatalf("%v %d %d", err, firstCount.Load(), secondCount.Load())
	}
}

func TestAProblemThatIsNotRetryableIsNotSentAgain(t *testing.T) {
	url, count := answering(t, func(int64, string) (int, string) {
		return 404, `{"code":"topic-not-found","status":404,"hint":"Create it.","sideEffects":"none","retryable":false}`
	})
	_, err := clientOf(t, url).API().GetTopicWithResponse(t.Context(), "t", nil)
	var problem *Problem
	if !errors.As(err, &problem) || problem.Hint != "Create it." || count.Load() != 1 {
		t.Fatalf("%v after %d", err, count.Load())
	}
}

func TestTheLastProblemSaysThatSideEffectsArePossibleWhenATryBeforeItWasUnclear(t *testing.T) {
	url, _ := answering(t, func(count int64, _ string) (int, string) {
		if count == 1 {
			return 504, `{"code":"outcome-unknown","status":504,"sideEffects":"possible","retryable":false}`
		}
		return 503, passing
	})
	ctx := WithTriesMax(context.Background(), 2)
	_, err := clientOf(t, url).Produce(ctx, "t", []NewRecord{Text("x")}, ProduceOptions{})
	var problem *Problem
	if !errors.As(err, &problem) || problem.Code != "no-leader" || !problem.SideEffectsPossible() {
		t.Fatal(err)
	}
}

func TestAPageOfAProxyIsAProblemWithItsStatus(t *testing.T) {
	url, _ := answering(t, func(int64, string) (int, string) { return 502, "<h1>Bad gateway</h1>" })
	_, err := clientOf(t, url).API().GetClusterWithResponse(WithTriesMax(t.Context(), 1))
	var problem *Problem
	if !errors.As(err, &problem) || problem.Status != 502 || problem.Code != CodeUnexpectedAnswer {
		t.Fatal(err)
	}
}

func TestJSONIsSentByteForByte(t *testing.T) {
	raw := `{"b": 1,  "a": "<é>"}`
	body, err := batchBody([]NewRecord{JSON(json.RawMessage(raw))})
	if err != nil || !strings.Contains(string(body), raw) {
		t.Fatalf("%s %v", body, err)
	}
}
