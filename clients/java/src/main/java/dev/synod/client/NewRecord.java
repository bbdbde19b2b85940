package dev.synod.client;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** A record to produce: made by {@code json}, {@code text}, {@code bytes} or {@code tombstone}. */
public final class NewRecord {
  private static final Gson GSON = new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

  private final JsonObject head;

  /** The member of the value, written already: JSON is sent as it was given, byte for byte. */
  private final String value;

  private NewRecord(JsonObject head, String value) {
    this.head = head;
    this.value = value;
  }

  /** Any JSON, as its text; it is stored byte for byte. */
  public static NewRecord json(String json) {
    JsonParser.parseString(json);
    return new NewRecord(new JsonObject(), "\"value\":" + json);
  }

  public static NewRecord json(JsonElement json) {
    return new NewRecord(new JsonObject(), "\"value\":" + GSON.toJson(json));
  }

  public static NewRecord text(String text) {
    return new NewRecord(new JsonObject(), "\"text\":" + GSON.toJson(text));
  }

  public static NewRecord bytes(byte[] value) {
    return new NewRecord(new JsonObject(), "\"base64\":\"" + Base64.getEncoder().encodeToString(value) + "\"");
  }

  /** No value: what the key stood for is gone. */
  public static NewRecord tombstone() {
    return new NewRecord(new JsonObject(), "");
  }

  /** Records of one key are in one partition, in order. */
  public NewRecord withKey(String key) {
    return with("key", GSON.toJsonTree(key));
  }

  /** Their names are stored in lower case. */
  public NewRecord withHeaders(Map<String, String> headers) {
    return with("headers", GSON.toJsonTree(headers));
  }

  /** Where it goes, instead of where its key leads. */
  public NewRecord onPartition(int partition) {
    return with("partition", GSON.toJsonTree(partition));
  }

  /** A time of its own, which is only shown. */
  public NewRecord at(OffsetDateTime timestamp) {
    return with("timestamp", GSON.toJsonTree(timestamp.toString()));
  }

  private NewRecord with(String name, JsonElement member) {
    JsonObject changed = head.deepCopy();
    changed.add(name, member);
    return new NewRecord(changed, value);
  }

  static String batchOf(List<NewRecord> records) {
    return records.stream().map(NewRecord::written).collect(Collectors.joining(",", "{\"records\":[", "]}"));
  }

  private String written() {
    String written = GSON.toJson(head);
    String separator = head.size() == 0 || value.isEmpty() ? "" : ",";
    return written.substring(0, written.length() - 1) + separator + value + "}";
  }
}
