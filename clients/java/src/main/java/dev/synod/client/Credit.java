package dev.synod.client;

/**
 * What the brokers may send before the reader has taken it: all that ever waits in the client.
 *
 * @param bytes of keys and values; a single record that is larger comes alone
 */
public record Credit(int records, int bytes) {
  public static final Credit DEFAULT = new Credit(2_000, 2 * 1024 * 1024);

  public Credit {
    if (records < 1 || bytes < 1) {
      throw new IllegalArgumentException("Without credit nothing comes.");
    }
  }
}
