package dev.synod.client;

import com.google.gson.JsonObject;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * Some records of all partitions.
 *
 * @param cursor where the next page begins
 * @param upToDate there was nothing more to read
 */
public record Page(List<SynodRecord> records, String cursor, boolean upToDate) {
  static Page of(JsonObject said) {
    List<SynodRecord> records =
        StreamSupport.stream(said.getAsJsonArray("records").spliterator(), false)
            .map(each -> SynodRecord.of(each.getAsJsonObject()))
            .toList();
    return new Page(records, said.get("cursor").getAsString(), said.get("upToDate").getAsBoolean());
  }
}
