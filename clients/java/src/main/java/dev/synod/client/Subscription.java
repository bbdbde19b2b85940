package dev.synod.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.synod.client.Frames.Frame;
import dev.synod.client.Frames.Sized;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import okhttp3.OkHttpClient;

/**
 * The records of a topic, each exactly once and in order within its partition: a loop over it, or {@code next}, waits for the next
 * one. When a connection breaks it goes on at another broker, at the very next offsets. Throws SynodProblem when there is nothing to
 * go on with: the topic is not there or was made anew, the next record is trimmed, the request is wrong.
 *
 * <p>One thread reads; any thread may close it, and then {@code next} throws IllegalStateException and a loop ends.
 */
public final class Subscription implements Iterable<SynodRecord>, Iterator<SynodRecord>, AutoCloseable {
  private final Brokers brokers;
  private final OkHttpClient connections;
  private final String topic;
  private final String from;
  private final Credit credit;
  private final Map<Integer, Long> positions = new TreeMap<>();
  private final Queue<Sized> left = new ArrayDeque<>();

  /** The place after the last frame that was given out whole, or where the subscription began. */
  private String cursor;

  private String cursorOfFrame;
  private Sized given;
  private Session session;
  private int failures;
  private boolean isClosed;

  Subscription(Brokers brokers, OkHttpClient connections, String topic, String from, Credit credit) {
    this.brokers = brokers;
    this.connections = connections;
    this.topic = topic;
    this.from = from;
    this.credit = credit;
  }

  /** The next offset of each partition, after what was given out: keep it, and subscribe with it, to resume later. */
  public Map<Integer, Long> positions() {
    return Map.copyOf(positions);
  }

  /** Itself: a second loop goes on where the first one ended. */
  @Override
  public Iterator<SynodRecord> iterator() {
    return this;
  }

  /** Waits for the next record; false once it is closed. */
  @Override
  public boolean hasNext() {
    if (given != null) {
      // Who asks for the next record is done with the one before.
      Session current = openSession();
      if (current != null) {
        current.done(given.size());
      }
      given = null;
    }
    while (left.isEmpty() && !isClosed()) {
      takeFrame();
    }
    return !isClosed();
  }

  @Override
  public SynodRecord next() {
    if (!hasNext()) {
      throw new IllegalStateException("The subscription is closed.");
    }
    given = left.remove();
    SynodRecord record = given.record();
    Long due = positions.get(record.partition());
    if (due != null && due != record.offset()) {
      String sentence = "Record " + record.offset() + " of partition " + record.partition() + " came, and " + due + " is due.";
      throw new SynodException(sentence, null);
    }
    positions.put(record.partition(), record.offset() + 1);
    if (left.isEmpty()) {
      cursor = cursorOfFrame;
    }
    failures = 0;
    return record;
  }

  @Override
  public synchronized void close() {
    isClosed = true;
    dropSession();
  }

  private synchronized boolean isClosed() {
    return isClosed;
  }

  private synchronized Session openSession() {
    return session;
  }

  private void takeFrame() {
    int place = brokers.place();
    try {
      take(sessionAt(place).next());
    } catch (SynodException failure) {
      dropSession();
      if (isClosed()) {
        return;
      }
      if (!isPassing(failure)) {
        throw failure;
      }
      brokers.moveOn(place);
      failures++;
      Brokers.sleep(Brokers.backoffMs(failures));
    }
  }

  private synchronized Session sessionAt(int place) {
    if (isClosed) {
      throw new NoAnswer("The subscription was closed.", true, null);
    }
    if (session == null) {
      session = new Session(connections, brokers.url(place), subscribeFrame(), credit);
    }
    return session;
  }

  private synchronized void dropSession() {
    if (session != null) {
      session.close();
      session = null;
    }
  }

  private JsonObject subscribeFrame() {
    JsonObject granted = new JsonObject();
    granted.addProperty("records", credit.records());
    granted.addProperty("bytes", credit.bytes());
    JsonObject frame = new JsonObject();
    frame.addProperty("type", "subscribe");
    frame.addProperty("id", Session.SID);
    frame.addProperty("sid", Session.SID);
    frame.addProperty("topic", topic);
    frame.addProperty(cursor == null ? "from" : "cursor", cursor == null ? from : cursor);
    frame.add("credit", granted);
    return frame;
  }

  private void take(Frame frame) {
    if (frame.type().equals("records")) {
      left.addAll(frame.records());
      cursorOfFrame = frame.header().get("cursor").getAsString();
    } else if (cursor == null) {
      // What "latest" or a time means is settled once, so that it means the same after every break.
      cursor = frame.header().get("cursor").getAsString();
      for (JsonElement each : frame.header().getAsJsonArray("positions")) {
        JsonObject start = each.getAsJsonObject();
        positions.put(start.get("partition").getAsInt(), start.get("nextOffset").getAsLong());
      }
    }
  }

  /** A reader goes on at another broker after it; any other error will not pass by itself. */
  private static boolean isPassing(SynodException failure) {
    if (failure instanceof SynodProblem problem) {
      return problem.isRetryable() || problem.status() >= 500;
    }
    return failure instanceof NoAnswer;
  }
}
