package dev.synod.conformance;

import com.google.gson.JsonObject;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/** What the script says to the runner, and what it asks of it. */
final class Talk {
  private static final BufferedReader ANSWERS =
      new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

  private Talk() {}

  interface Case {
    void run() throws Exception;
  }

  /** Runs a case and says how it went. */
  static void report(String name, Case run) {
    JsonObject line = new JsonObject();
    line.addProperty("case", name);
    try {
      run.run();
      line.addProperty("ok", true);
    } catch (Exception | AssertionError failure) {
      failure.printStackTrace();
      line.addProperty("ok", false);
      line.addProperty("detail", failure.toString());
    }
    say(line);
  }

  static void ask(String event) {
    JsonObject line = new JsonObject();
    line.addProperty("event", event);
    ask(line);
  }

  static void askToKillLeader(String topic, int partition) {
    JsonObject line = new JsonObject();
    line.addProperty("event", "kill-leader");
    line.addProperty("topic", topic);
    line.addProperty("partition", partition);
    ask(line);
  }

  static void same(Object actual, Object expected) {
    check(Objects.equals(actual, expected), actual + " is not " + expected + ".");
  }

  static void check(boolean isTrue, String sentence) {
    if (!isTrue) {
      throw new AssertionError(sentence);
    }
  }

  /** Returns when it is done. */
  private static void ask(JsonObject line) {
    say(line);
    try {
      same(ANSWERS.readLine(), "done");
    } catch (IOException cause) {
      throw new IllegalStateException(cause);
    }
  }

  private static void say(JsonObject line) {
    System.out.println(line);
    System.out.flush();
  }
}
