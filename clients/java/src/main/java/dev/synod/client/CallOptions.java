package dev.synod.client;

import java.time.Duration;

/**
 * How long and how often a call is tried.
 *
 * @param timeout for all tries together
 * @param triesMax how often it is sent at most; 1 sends it once, whatever comes of it
 */
public record CallOptions(Duration timeout, int triesMax) {
  public static final CallOptions DEFAULT = new CallOptions(Duration.ofSeconds(30), Integer.MAX_VALUE);

  public CallOptions {
    if (timeout.isNegative() || timeout.isZero() || triesMax < 1) {
      throw new IllegalArgumentException("A call needs some time and at least one try.");
    }
  }
}
