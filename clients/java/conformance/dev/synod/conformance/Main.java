package dev.synod.conformance;

import dev.synod.client.SynodClient;
import java.util.List;

/** The cases of clients/CONFORMANCE.md, for the Java client. The argument: the brokers' URLs, with commas. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) {
    List<String> urls = List.of(arguments[0].split(","));
    try (SynodClient client = new SynodClient(urls)) {
      RecordCases records = new RecordCases(client, urls);
      Talk.report("create", records::create);
      Talk.report("raw-bytes", records::rawBytes);
      Talk.report("batch", records::batch);
      Talk.report("page", records::page);
      Talk.report("stream", records::stream);
      Talk.report("subscribe", records::subscribe);
      Talk.report("resume", () -> BreakCases.resume(client));
      Talk.ask("start-all");
      Talk.report("not-found", () -> ErrorCases.notFound(client));
      Talk.report("conflict", () -> ErrorCases.conflict(client));
      Talk.report("too-large", () -> ErrorCases.tooLarge(client));
      Talk.report("unavailable", () -> ErrorCases.unavailable(urls));
    }
    // Threads that okhttp keeps for a while are not waited for.
    System.exit(0);
  }
}
