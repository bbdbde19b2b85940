package dev.synod.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import okio.ByteString;

/** The binary frames of {@code synod.v1.bin}: values come as the bytes that they are, so that credit in bytes adds up exactly. */
final class Frames {
  static final String SUBPROTOCOL = "synod.v1.bin";

  private Frames() {}

  /** The size is what the record costs of the credit: the bytes of its key and value. */
  record Sized(SynodRecord record, int size) {}

  record Frame(String type, JsonObject header, List<Sized> records) {}

  static ByteString encode(JsonObject frame) {
    byte[] header = frame.toString().getBytes(StandardCharsets.UTF_8);
    return ByteString.of(ByteBuffer.allocate(Integer.BYTES + header.length).putInt(header.length).put(header).flip());
  }

  /** Throws a RuntimeException for what is no frame. */
  static Frame decode(ByteString message) {
    byte[] bytes = message.toByteArray();
    int headerSize = ByteBuffer.wrap(bytes).getInt();
    String text = new String(bytes, Integer.BYTES, headerSize, StandardCharsets.UTF_8);
    JsonObject header = JsonParser.parseString(text).getAsJsonObject();
    List<Sized> records = new ArrayList<>();
    int at = Integer.BYTES + headerSize;
    if (header.has("records")) {
      for (JsonElement each : header.getAsJsonArray("records")) {
        JsonObject head = each.getAsJsonObject();
        int size = head.has("size") ? head.get("size").getAsInt() : 0;
        if (size < 0 || size > bytes.length - at) {
          throw new IllegalArgumentException("A frame is shorter than it says.");
        }
        byte[] value = Arrays.copyOfRange(bytes, at, at + size);
        at += size;
        SynodRecord record = SynodRecord.of(head, formOf(head), value);
        int keySize = record.key() == null ? 0 : record.key().getBytes(StandardCharsets.UTF_8).length;
        records.add(new Sized(record, keySize + size));
      }
    }
    return new Frame(header.get("type").getAsString(), header, records);
  }

  private static Form formOf(JsonObject head) {
    if (!head.has("size")) {
      return Form.TOMBSTONE;
    }
    return head.has("form") ? Form.named(head.get("form").getAsString()) : Form.BYTES;
  }
}
