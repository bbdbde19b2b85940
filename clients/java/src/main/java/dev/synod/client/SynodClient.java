package dev.synod.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.synod.client.generated.ApiClient;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.StreamSupport;
import okhttp3.HttpUrl;
import okhttp3.MediaType;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.RequestBody;
import okhttp3.Response;

/**
 * A client of the brokers with these URLs, of which any takes any call. It may be used by many threads.
 *
 * <p>Every call throws SynodProblem for what a broker answered and NoAnswer when none did, after it has tried again, at other
 * brokers too, as long as that may help and does no harm.
 */
public final class SynodClient implements AutoCloseable {
  /** Stands for the broker that is asked. */
  private static final String PLACEHOLDER = "http://broker";

  private static final MediaType JSON = MediaType.get("application/json");

  private final List<HttpUrl> urls;
  private final OkHttpClient connections;
  private final OkHttpClient http;
  private final CallOptions options;
  private final ApiClient api;

  public SynodClient(List<String> urls) {
    this(urls, new OkHttpClient());
  }

  /** Over connections as this one makes them, for its certificates or proxies. */
  public SynodClient(List<String> urls, OkHttpClient given) {
    this(Brokers.parse(urls), Brokers.connectionsOf(given), CallOptions.DEFAULT);
  }

  private SynodClient(List<HttpUrl> urls, OkHttpClient connections, CallOptions options) {
    this(urls, connections, connections.newBuilder().addInterceptor(new Brokers(urls)).build(), options);
  }

  private SynodClient(List<HttpUrl> urls, OkHttpClient connections, OkHttpClient http, CallOptions options) {
    this.urls = urls;
    this.connections = connections;
    this.http = http;
    this.options = options;
    this.api = new ApiClient(http).setBasePath(PLACEHOLDER);
  }

  /** The same client, whose calls are tried so long and so often. The generated calls are not concerned. */
  public SynodClient with(CallOptions options) {
    return new SynodClient(urls, connections, http, options);
  }

  /**
   * For the generated classes, {@code new TopicsApi(client.api())}. They are sent in the same way, and {@code
   * SynodException.reasonOf} tells what an ApiException is about.
   */
  public ApiClient api() {
    return api;
  }

  /** Closes connections that nobody uses. Subscriptions and streams are closed by themselves. */
  @Override
  public void close() {
    http.dispatcher().executorService().shutdown();
    http.connectionPool().evictAll();
  }

  /** Creates the topic, or makes sure that it is as asked for. */
  public void createTopic(String topic, int partitions) {
    JsonObject spec = new JsonObject();
    spec.addProperty("partitions", partitions);
    createTopic(topic, spec);
  }

  /** The same, with any of {@code partitions}, {@code replicationFactor} and {@code config}. */
  public void createTopic(String topic, JsonObject spec) {
    RequestBody body = RequestBody.create(spec.toString().getBytes(StandardCharsets.UTF_8), JSON);
    call(new Request.Builder().url(path(topic).build()).put(body)).close();
  }

  public List<Receipt> produce(String topic, List<NewRecord> records) {
    return produce(topic, records, ProduceOptions.DEFAULT);
  }

  /**
   * Stores the records, at most 1,000, and returns when a majority has them on disk: a receipt each, in their order. They are
   * stored once, however often they are sent. After a SynodProblem with {@code sideEffectsArePossible}, or NoAnswer with {@code
   * wasSent}, they may be stored: call again with the same idempotency key.
   */
  public List<Receipt> produce(String topic, List<NewRecord> records, ProduceOptions options) {
    byte[] batch = NewRecord.batchOf(records).getBytes(StandardCharsets.UTF_8);
    HttpUrl.Builder url = path(topic, "batches");
    JsonObject answer = json(producing(url, options).post(RequestBody.create(batch, JSON)));
    return StreamSupport.stream(answer.getAsJsonArray("results").spliterator(), false)
        .map(each -> Receipt.of(each.getAsJsonObject()))
        .toList();
  }

  public Receipt produceBytes(String topic, byte[] value, String contentType) {
    return produceBytes(topic, value, contentType, null, Map.of(), ProduceOptions.DEFAULT);
  }

  /** The same for one record that is these bytes. The key may be null. */
  public Receipt produceBytes(
      String topic, byte[] value, String contentType, String key, Map<String, String> headers, ProduceOptions options) {
    HttpUrl.Builder url = path(topic, "records");
    if (key != null) {
      url.addQueryParameter("key", key);
    }
    Request.Builder request = producing(url, options);
    headers.forEach((name, text) -> request.header("Record-Header-" + name, text));
    return Receipt.of(json(request.post(RequestBody.create(value, MediaType.get(contentType)))));
  }

  /** The value of one record as the bytes that it is; a tombstone has none. Read after these receipts, on whatever broker. */
  public byte[] readBytes(String topic, int partition, long offset, List<Receipt> readAfter) {
    HttpUrl.Builder url = path(topic, "partitions", Integer.toString(partition), "records", Long.toString(offset));
    try (Response response = call(reading(url, readAfter))) {
      return response.body().bytes();
    } catch (IOException cause) {
      throw new NoAnswer("The answer broke.", true, cause);
    }
  }

  /**
   * Some records of all partitions, from the cursor of the page before, or the earliest if it is null.
   *
   * @param limit up to 1,000
   * @param readAfter receipts of records that the answer must know of, on whatever broker
   */
  public Page readPage(String topic, String cursor, int limit, List<Receipt> readAfter) {
    HttpUrl.Builder url = path(topic, "records").addQueryParameter("limit", Integer.toString(limit));
    if (cursor != null) {
      url.addQueryParameter("cursor", cursor);
    }
    return Page.of(json(reading(url, readAfter)));
  }

  /**
   * What is there now, from such a place on, over one connection. It does not go on by itself when that breaks (NoAnswer): a
   * subscription does. Close it, or read it to its end.
   *
   * @param from "earliest", "-10", "time:2026-01-31T12:00:00Z", "0@17,1@12"
   */
  public RecordStream stream(String topic, String from, List<Receipt> readAfter) {
    HttpUrl.Builder url = path(topic, "stream").addQueryParameter("from", from).addQueryParameter("follow", "false");
    return new RecordStream(call(reading(url, readAfter)));
  }

  /** All records of the topic, from the earliest on, for as long as one likes. */
  public Subscription subscribe(String topic) {
    return subscribe(topic, "earliest", Credit.DEFAULT);
  }

  /**
   * The records of the topic, for as long as one likes.
   *
   * @param from "earliest", "latest", "-10", "time:2026-01-31T12:00:00Z"
   */
  public Subscription subscribe(String topic, String from, Credit credit) {
    // With a place of its own among the brokers: where it goes on says nothing about calls.
    return new Subscription(new Brokers(urls), connections, topic, from, credit);
  }

  /** From the next offset of each partition on: the positions of an earlier subscription. */
  public Subscription subscribe(String topic, Map<Integer, Long> positions, Credit credit) {
    return subscribe(topic, positions.isEmpty() ? "earliest" : Receipt.places(positions), credit);
  }

  private static HttpUrl.Builder path(String topic, String... more) {
    HttpUrl.Builder url = HttpUrl.get(PLACEHOLDER).newBuilder().addPathSegments("v1/topics").addPathSegment(topic);
    for (String segment : more) {
      url.addPathSegment(segment);
    }
    return url;
  }

  private static Request.Builder producing(HttpUrl.Builder url, ProduceOptions options) {
    if (options.acksAll()) {
      url.addQueryParameter("acks", "all");
    }
    String key = options.idempotencyKey() == null ? UUID.randomUUID().toString() : options.idempotencyKey();
    Request.Builder request = new Request.Builder().url(url.build()).header("Idempotency-Key", key);
    if (options.expectedOffset() != null) {
      request.header("Expected-Offset", options.expectedOffset().toString());
    }
    return request;
  }

  private static Request.Builder reading(HttpUrl.Builder url, List<Receipt> readAfter) {
    Request.Builder request = new Request.Builder().url(url.build());
    String places = Receipt.placesOf(readAfter);
    return places == null ? request : request.header("Read-After", places);
  }

  private JsonObject json(Request.Builder request) {
    try (Response response = call(request)) {
      JsonElement said = JsonParser.parseString(response.body().string());
      return said.getAsJsonObject();
    } catch (IOException cause) {
      throw new NoAnswer("The answer broke.", true, cause);
    }
  }

  private Response call(Request.Builder request) {
    try {
      return http.newCall(request.tag(CallOptions.class, options).build()).execute();
    } catch (IOException failure) {
      SynodException reason = SynodException.reasonOf(failure);
      throw reason == null ? new NoAnswer("No broker answered.", true, failure) : reason;
    }
  }
}
