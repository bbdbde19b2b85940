package dev.synod.client;

/** How a value is to be understood. */
public enum Form {
  JSON,
  TEXT,
  BYTES,
  /** There is no value: what the key stood for is gone. */
  TOMBSTONE;

  /** By its name in frames. */
  static Form named(String name) {
    return switch (name) {
      case "json" -> JSON;
      case "text" -> TEXT;
      case "bytes" -> BYTES;
      default -> throw new IllegalArgumentException("'" + name + "' is no form of a value.");
    };
  }
}
