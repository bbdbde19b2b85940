package dev.synod.conformance;

import static dev.synod.conformance.Talk.check;
import static dev.synod.conformance.Talk.same;

import com.google.gson.JsonParser;
import dev.synod.client.Credit;
import dev.synod.client.Form;
import dev.synod.client.NewRecord;
import dev.synod.client.Page;
import dev.synod.client.Receipt;
import dev.synod.client.RecordStream;
import dev.synod.client.Subscription;
import dev.synod.client.SynodClient;
import dev.synod.client.SynodRecord;
import dev.synod.client.generated.api.TopicsApi;
import dev.synod.client.generated.model.Topic;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import okhttp3.OkHttpClient;

/** Records as they are sent and as they come back, each way. */
final class RecordCases {
  private static final String TOPIC = "records";
  private static final int PARTITIONS = 3;
  private static final int BATCH_COUNT = 100;
  private static final int PAGE = 30;
  private static final Credit CREDIT = new Credit(10, 10_000);

  private final SynodClient client;
  private final List<String> urls;
  private List<Receipt> receipts = List.of();

  RecordCases(SynodClient client, List<String> urls) {
    this.client = client;
    this.urls = urls;
  }

  void create() throws Exception {
    client.createTopic("created", PARTITIONS);
    client.createTopic("created", PARTITIONS);
    Topic topic = new TopicsApi(client.api()).getTopic("created", null);
    same(topic.getName(), "created");
    same(topic.getPartitions().size(), PARTITIONS);
  }

  void rawBytes() {
    byte[] value = new byte[256];
    for (int index = 0; index < value.length; index++) {
      value[index] = (byte) index;
    }
    Receipt receipt = client.produceBytes("created", value, "application/x-all-bytes");
    byte[] read = client.readBytes("created", receipt.partition(), receipt.offset(), List.of(receipt));
    check(Arrays.equals(read, value), Arrays.toString(read));
    try (Subscription records = client.subscribe("created")) {
      SynodRecord record = records.next();
      same(record.contentType(), "application/x-all-bytes");
      check(Arrays.equals(record.value(), value), Arrays.toString(record.value()));
    }
  }

  void batch() {
    client.createTopic(TOPIC, PARTITIONS);
    receipts = client.produce(TOPIC, IntStream.range(0, BATCH_COUNT).mapToObj(RecordCases::newRecord).toList());
    same(receipts.size(), BATCH_COUNT);
    // In their order: the offsets of each partition are those that come next.
    Map<Integer, Long> following = new HashMap<>();
    for (Receipt receipt : receipts) {
      same(receipt.topic(), TOPIC);
      same(receipt.offset(), following.getOrDefault(receipt.partition(), 0L));
      same(receipt.duplicate(), false);
      following.merge(receipt.partition(), 1L, Long::sum);
    }
  }

  void page() {
    List<SynodRecord> seen = new ArrayList<>();
    Page page;
    String cursor = null;
    do {
      page = client.readPage(TOPIC, cursor, PAGE, receipts);
      check(page.records().size() <= PAGE, "A page is larger than asked for.");
      seen.addAll(page.records());
      cursor = page.cursor();
    } while (!page.upToDate());
    assertBatch(seen, false);
  }

  void stream() {
    List<SynodRecord> seen = new ArrayList<>();
    try (RecordStream records = client.stream(TOPIC, "earliest", receipts)) {
      records.forEachRemaining(seen::add);
    }
    assertBatch(seen, false);
  }

  /** What came over the socket is counted apart from the client, so that it cannot flatter itself. */
  void subscribe() throws InterruptedException {
    RecordCounter counter = new RecordCounter();
    List<SynodRecord> seen = new ArrayList<>();
    OkHttpClient counted = new OkHttpClient.Builder().socketFactory(counter).build();
    try (SynodClient reader = new SynodClient(urls, counted);
        Subscription records = reader.subscribe(TOPIC, "earliest", CREDIT)) {
      for (SynodRecord record : records) {
        // Time for a broker to send more than it may.
        Thread.sleep(3);
        int waiting = counter.count() - seen.size();
        check(waiting > 0, "A record was given that never came.");
        check(waiting <= CREDIT.records(), waiting + " records wait.");
        seen.add(record);
        if (seen.size() == BATCH_COUNT) {
          break;
        }
      }
    }
    assertBatch(seen, true);
  }

  /**
   * Each is where its receipt says and as it was sent, in order within its partition, and there is no other one. Over a subscription
   * JSON is what it was, byte for byte.
   */
  private void assertBatch(List<SynodRecord> seen, boolean isJsonExact) {
    same(seen.size(), BATCH_COUNT);
    Map<List<Number>, Integer> places = new HashMap<>();
    for (int index = 0; index < BATCH_COUNT; index++) {
      places.put(List.of(receipts.get(index).partition(), receipts.get(index).offset()), index);
    }
    Map<Integer, Long> following = new HashMap<>();
    for (SynodRecord record : seen) {
      same(record.offset(), following.getOrDefault(record.partition(), 0L));
      following.merge(record.partition(), 1L, Long::sum);
      int index = places.get(List.<Number>of(record.partition(), record.offset()));
      same(record.form(), formOf(index));
      if (record.form() == Form.JSON && !isJsonExact) {
        same(record.json(), JsonParser.parseString(new String(valueOf(index), StandardCharsets.UTF_8)));
      } else {
        check(Arrays.equals(record.value(), valueOf(index)), record.text() + " was number " + index + ".");
      }
      same(record.isTombstone(), index == 50);
      same(record.key(), "key-" + index % 7);
      same(record.headers(), headersOf(index));
    }
  }

  private static Form formOf(int index) {
    if (index == 50) {
      return Form.TOMBSTONE;
    }
    return index % 3 == 0 ? Form.JSON : index % 3 == 1 ? Form.TEXT : Form.BYTES;
  }

  /** With spaces, a line separator of Unicode and a null that is a value. */
  private static byte[] valueOf(int index) {
    return switch (formOf(index)) {
      case JSON -> utf8(index == 51 ? "null" : "{\"index\": %d, \"nested\": [null, true, \"<ß>\"]}".formatted(index));
      case TEXT -> utf8("text %d \u2028 <✓>".formatted(index));
      case BYTES -> new byte[] {(byte) index, 0, (byte) 255};
      case TOMBSTONE -> new byte[0];
    };
  }

  private static NewRecord newRecord(int index) {
    byte[] value = valueOf(index);
    NewRecord made =
        switch (formOf(index)) {
          case JSON -> NewRecord.json(new String(value, StandardCharsets.UTF_8));
          case TEXT -> NewRecord.text(new String(value, StandardCharsets.UTF_8));
          case BYTES -> NewRecord.bytes(value);
          case TOMBSTONE -> NewRecord.tombstone();
        };
    return made.withKey("key-" + index % 7).withHeaders(headersOf(index));
  }

  private static Map<String, String> headersOf(int index) {
    return Map.of("index", Integer.toString(index), "umlaut", "ü");
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
