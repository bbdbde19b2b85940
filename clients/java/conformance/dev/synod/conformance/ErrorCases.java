package dev.synod.conformance;

import static dev.synod.conformance.Talk.check;
import static dev.synod.conformance.Talk.same;

import dev.synod.client.CallOptions;
import dev.synod.client.NewRecord;
import dev.synod.client.ProduceOptions;
import dev.synod.client.Receipt;
import dev.synod.client.SynodClient;
import dev.synod.client.SynodException;
import dev.synod.client.SynodProblem;
import dev.synod.client.SynodRecord;
import dev.synod.client.generated.api.TopicsApi;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** What brokers refuse, as typed errors. */
final class ErrorCases {
  private static final String TOPIC = "errors";
  private static final int RECORD_BYTES_MAX = 1_048_576;

  private ErrorCases() {}

  static void notFound(SynodClient client) {
    SynodProblem problem = problemOf(() -> new TopicsApi(client.api()).getTopic("nowhere", null));
    same(problem.status(), 404);
    same(problem.code(), "topic-not-found");
    check(!problem.hint().isEmpty(), "It has no hint.");
  }

  static void conflict(SynodClient client) {
    client.createTopic(TOPIC, 1);
    SynodProblem differs = problemOf(() -> client.createTopic(TOPIC, 2));
    same(differs.status(), 409);
    same(differs.code(), "topic-config-differs");
    List<NewRecord> records = List.of(NewRecord.text("x").onPartition(0));
    SynodProblem mismatch =
        problemOf(() -> client.produce(TOPIC, records, ProduceOptions.DEFAULT.withExpectedOffset(5)));
    same(mismatch.status(), 412);
    same(mismatch.code(), "offset-mismatch");
  }

  static void tooLarge(SynodClient client) {
    byte[] value = new byte[RECORD_BYTES_MAX + 1];
    SynodProblem problem = problemOf(() -> client.produceBytes(TOPIC, value, "application/octet-stream"));
    same(problem.status(), 413);
    same(problem.code(), "record-too-large");
    same(problem.sideEffectsArePossible(), false);
  }

  static void unavailable(List<String> urls) {
    String topic = "unavailable";
    List<NewRecord> records = List.of(NewRecord.text("once"));
    ProduceOptions options = ProduceOptions.DEFAULT.withIdempotencyKey("unavailable-1");
    try (SynodClient client = new SynodClient(urls);
        SynodClient lonely = new SynodClient(urls.subList(0, 1))) {
      client.createTopic(topic, 1);
      Talk.ask("stop-majority");
      SynodClient once = lonely.with(new CallOptions(Duration.ofSeconds(5), 1));
      SynodProblem problem = problemOf(() -> once.produce(topic, records, options));
      same(problem.status(), 503);
      same(problem.sideEffectsArePossible(), false);
      same(problem.isRetryable(), true);
      check(Set.of("no-quorum", "no-leader").contains(problem.code()), problem.code());
      check(problem.retryAfter() != null, "It does not say when to try again.");
      Talk.ask("start-all");
      Receipt receipt = client.produce(topic, records, options).get(0);
      same(receipt.offset(), 0L);
      Receipt again = client.produce(topic, records, options).get(0);
      same(again.offset(), 0L);
      same(again.duplicate(), true);
      List<SynodRecord> stored = client.readPage(topic, null, 10, List.of(receipt)).records();
      same(stored.stream().map(SynodRecord::text).toList(), List.of("once"));
    }
  }

  private static SynodProblem problemOf(Talk.Case call) {
    try {
      call.run();
    } catch (Exception thrown) {
      if (SynodException.reasonOf(thrown) instanceof SynodProblem problem) {
        return problem;
      }
      throw new AssertionError("It is no problem: " + thrown, thrown);
    }
    throw new AssertionError("It did not fail.");
  }
}
