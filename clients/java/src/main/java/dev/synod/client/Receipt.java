package dev.synod.client;

import com.google.gson.JsonObject;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Where a record is stored. It is on the disks of a majority.
 *
 * @param offset null for a duplicate so old that its place is no longer remembered
 * @param duplicate it was stored before, by an earlier try
 */
public record Receipt(String topic, int partition, Long offset, OffsetDateTime timestamp, boolean duplicate) {
  static Receipt of(JsonObject said) {
    return new Receipt(
        said.get("topic").getAsString(),
        said.get("partition").getAsInt(),
        said.has("offset") ? said.get("offset").getAsLong() : null,
        OffsetDateTime.parse(said.get("timestamp").getAsString()),
        said.get("duplicate").getAsBoolean());
  }

  /** What Read-After names, so that a read knows of these records on any broker; null if there are none. */
  static String placesOf(List<Receipt> receipts) {
    Map<Integer, Long> last = new TreeMap<>();
    for (Receipt receipt : receipts) {
      if (receipt.offset != null) {
        last.merge(receipt.partition, receipt.offset, Math::max);
      }
    }
    return last.isEmpty() ? null : places(last);
  }

  static String places(Map<Integer, Long> offsets) {
    return offsets.entrySet().stream().map(each -> each.getKey() + "@" + each.getValue()).collect(Collectors.joining(","));
  }
}
