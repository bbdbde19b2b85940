package dev.synod.client;

/**
 * @param idempotencyKey makes sending the same again safe; drawn if null
 * @param acksAll waits for every replica that is in sync too
 * @param expectedOffset stored only if that offset is next in their one partition, else the code is {@code offset-mismatch};
 *     null: wherever they come
 */
public record ProduceOptions(String idempotencyKey, boolean acksAll, Long expectedOffset) {
  public static final ProduceOptions DEFAULT = new ProduceOptions(null, false, null);

  public ProduceOptions withIdempotencyKey(String key) {
    return new ProduceOptions(key, acksAll, expectedOffset);
  }

  public ProduceOptions withAcksAll() {
    return new ProduceOptions(idempotencyKey, true, expectedOffset);
  }

  public ProduceOptions withExpectedOffset(long offset) {
    return new ProduceOptions(idempotencyKey, acksAll, offset);
  }
}
