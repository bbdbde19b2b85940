package dev.synod.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.time.OffsetDateTime;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A record as a reader gets it.
 *
 * @param offset dense within the partition, from 0
 * @param key null if there is none
 * @param contentType null if none was named
 * @param value as bytes: those of a JSON value's text, of UTF-8, or as they are, as the form tells; of a tombstone, none. They are
 *     what was produced; only JSON that came in a page or a stream is written anew.
 */
public record SynodRecord(
    String topic,
    int partition,
    long offset,
    OffsetDateTime timestamp,
    String key,
    String contentType,
    Map<String, String> headers,
    Form form,
    byte[] value) {

  /** The value as a text: JSON, or a text. */
  public String text() {
    return new String(value, StandardCharsets.UTF_8);
  }

  /** The value of a record that is JSON. */
  public JsonElement json() {
    if (form != Form.JSON) {
      throw new IllegalStateException("Record " + offset + " of partition " + partition + " is " + form + ".");
    }
    return JsonParser.parseString(text());
  }

  public boolean isTombstone() {
    return form == Form.TOMBSTONE;
  }

  /** As it comes over HTTP. */
  static SynodRecord of(JsonObject said) {
    if (said.has("value")) {
      return of(said, Form.JSON, said.get("value").toString().getBytes(StandardCharsets.UTF_8));
    }
    if (said.has("text")) {
      return of(said, Form.TEXT, said.get("text").getAsString().getBytes(StandardCharsets.UTF_8));
    }
    if (said.has("base64")) {
      return of(said, Form.BYTES, Base64.getDecoder().decode(said.get("base64").getAsString()));
    }
    return of(said, Form.TOMBSTONE, new byte[0]);
  }

  /** Of what stands beside the value. */
  static SynodRecord of(JsonObject head, Form form, byte[] value) {
    Map<String, String> headers = new LinkedHashMap<>();
    if (head.has("headers")) {
      head.getAsJsonObject("headers").entrySet().forEach(each -> headers.put(each.getKey(), each.getValue().getAsString()));
    }
    return new SynodRecord(
        head.get("topic").getAsString(),
        head.get("partition").getAsInt(),
        head.get("offset").getAsLong(),
        OffsetDateTime.parse(head.get("timestamp").getAsString()),
        textOrNull(head, "key"),
        textOrNull(head, "contentType"),
        headers,
        form,
        value);
  }

  private static String textOrNull(JsonObject head, String name) {
    return head.has(name) ? head.get(name).getAsString() : null;
  }
}
