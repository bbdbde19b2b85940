package dev.synod.client;

import com.google.gson.JsonObject;
import dev.synod.client.Frames.Frame;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import okhttp3.HttpUrl;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;
import okio.ByteString;

/**
 * One WebSocket with one subscription, and the frames that came over it and are not taken yet. A thread of okhttp reads the socket
 * all the time, so that pings are answered however slow the consumer is.
 */
final class Session extends WebSocketListener {
  static final String SID = "a";

  private static final long OPEN_TIMEOUT_MS = 5_000;
  private static final long PING_INTERVAL_MS = 20_000;
  private static final int NEVER_AGAIN_FROM = 4500;
  private static final int NEVER_AGAIN_TO = 4599;
  private static final int PROBLEM_BYTES_MAX = 1 << 20;

  private final HttpUrl url;
  private final Credit credit;
  private final JsonObject subscribe;
  private final WebSocket socket;

  /** A Frame of records or of subscribed, or the SynodException that is the end. Bounded by the credit. */
  private final BlockingQueue<Object> waiting = new LinkedBlockingQueue<>();

  private int takenRecords;
  private int takenBytes;

  /** Opens it; {@code next} tells how that went. */
  Session(OkHttpClient connections, HttpUrl url, JsonObject subscribe, Credit credit) {
    this.url = url;
    this.credit = credit;
    this.subscribe = subscribe;
    OkHttpClient client =
        connections
            .newBuilder()
            .connectTimeout(OPEN_TIMEOUT_MS, TimeUnit.MILLISECONDS)
            .readTimeout(OPEN_TIMEOUT_MS, TimeUnit.MILLISECONDS)
            .pingInterval(PING_INTERVAL_MS, TimeUnit.MILLISECONDS)
            .build();
    HttpUrl at = url.newBuilder().addPathSegments("v1/ws").build();
    Request request = new Request.Builder().url(at).header("Sec-WebSocket-Protocol", Frames.SUBPROTOCOL).build();
    socket = client.newWebSocket(request, this);
  }

  /** The next frame of records or of subscribed. Throws how the session ended, after all that came before that. */
  Frame next() {
    try {
      Object next = waiting.take();
      if (next instanceof SynodException end) {
        waiting.add(end);
        throw end;
      }
      return (Frame) next;
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new SynodException("The thread was interrupted.", interrupted);
    }
  }

  /** The reader is done with a record that cost so much, and as much more may come. Told in halves of the credit. */
  void done(int size) {
    takenRecords++;
    takenBytes += size;
    if (takenRecords * 2 < credit.records() && takenBytes * 2 < credit.bytes()) {
      return;
    }
    JsonObject grant = new JsonObject();
    grant.addProperty("type", "credit");
    grant.addProperty("sid", SID);
    grant.addProperty("records", takenRecords);
    grant.addProperty("bytes", takenBytes);
    takenRecords = 0;
    takenBytes = 0;
    // That it is closed is said by next, after all that came before.
    socket.send(Frames.encode(grant));
  }

  /** Wakes who waits in {@code next}, too. */
  void close() {
    socket.cancel();
    waiting.add(new NoAnswer("The session was closed.", true, null));
  }

  @Override
  public void onOpen(WebSocket opened, Response response) {
    opened.send(Frames.encode(subscribe));
  }

  @Override
  public void onMessage(WebSocket from, ByteString message) {
    Frame frame;
    try {
      frame = Frames.decode(message);
      switch (frame.type()) {
        case "records", "subscribed" -> waiting.add(frame);
        case "moving" -> end(from, new NoAnswer("The broker stops.", true, null));
        case "error" -> end(from, new SynodProblem(frame.header().getAsJsonObject("problem")));
        case "reset" -> end(from, SynodProblem.trimmed(frame.header().get("lost").getAsLong()));
        default -> {
          // Heartbeats, and what a later version may say.
        }
      }
    } catch (RuntimeException noFrame) {
      // It comes from something between, or from a broker that is broken.
      end(from, new NoAnswer("What came is no frame.", true, noFrame));
    }
  }

  @Override
  public void onMessage(WebSocket from, String message) {
    end(from, new NoAnswer("A text message came.", true, null));
  }

  @Override
  public void onClosing(WebSocket closing, int code, String reason) {
    String sentence = "The session ended with " + code + " " + reason;
    // With these a broker says that it makes no sense to come again.
    boolean isForGood = code >= NEVER_AGAIN_FROM && code <= NEVER_AGAIN_TO;
    end(closing, isForGood ? new SynodException(sentence, null) : new NoAnswer(sentence, true, null));
  }

  @Override
  public void onFailure(WebSocket failed, Throwable cause, Response response) {
    if (response != null && response.code() >= 400) {
      end(failed, problemOf(response));
    } else {
      end(failed, new NoAnswer(url + " cannot be reached, or broke off.", true, cause));
    }
  }

  private SynodProblem problemOf(Response response) {
    try {
      return SynodProblem.of(response.code(), response.peekBody(PROBLEM_BYTES_MAX).string(), url.toString());
    } catch (IOException | IllegalStateException cause) {
      return SynodProblem.of(response.code(), "", url.toString());
    }
  }

  private void end(WebSocket ended, SynodException why) {
    waiting.add(why);
    ended.cancel();
  }
}
