package dev.synod.conformance;

import static dev.synod.conformance.Talk.same;

import com.google.gson.JsonPrimitive;
import dev.synod.client.NewRecord;
import dev.synod.client.Receipt;
import dev.synod.client.Subscription;
import dev.synod.client.SynodClient;
import dev.synod.client.SynodRecord;
import dev.synod.client.generated.api.TopicsApi;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The leader is killed while one side writes and the other reads. */
final class BreakCases {
  private static final String TOPIC = "resumed";
  private static final int COUNT = 500;
  private static final int KILL_AFTER = 200;

  private BreakCases() {}

  static void resume(SynodClient client) throws Exception {
    client.createTopic(TOPIC, 1);
    try (Subscription records = client.subscribe(TOPIC)) {
      CompletableFuture<List<SynodRecord>> reading = CompletableFuture.supplyAsync(() -> readAll(records));
      for (int index = 0; index < COUNT; index++) {
        if (index == KILL_AFTER) {
          Talk.askToKillLeader(TOPIC, 0);
        }
        Receipt receipt = client.produce(TOPIC, List.of(NewRecord.json(new JsonPrimitive(index)))).get(0);
        // A duplicate is a try after one that was stored and whose answer was lost; the offset shows that it is stored once.
        same(receipt.offset(), (long) index);
      }
      List<SynodRecord> seen = reading.get();
      same(seen.size(), COUNT);
      for (int index = 0; index < COUNT; index++) {
        same(seen.get(index).offset(), (long) index);
        same(seen.get(index).json().getAsInt(), index);
      }
    }
    same(new TopicsApi(client.api()).getOffsets(TOPIC, 0, null, "true", null).getLatest(), (long) COUNT);
  }

  private static List<SynodRecord> readAll(Subscription records) {
    List<SynodRecord> seen = new ArrayList<>();
    for (SynodRecord record : records) {
      seen.add(record);
      if (seen.size() == COUNT) {
        break;
      }
    }
    return seen;
  }
}
