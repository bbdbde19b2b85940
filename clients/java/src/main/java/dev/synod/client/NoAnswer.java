package dev.synod.client;

/** No broker answered, or the connection broke before it had. */
public final class NoAnswer extends SynodException {
  private final boolean wasSent;

  NoAnswer(String message, boolean wasSent, Throwable cause) {
    super(cause == null ? message : message + " " + cause, cause);
    this.wasSent = wasSent;
  }

  /** The request may have reached a broker, so what it asked for may have been done. */
  public boolean wasSent() {
    return wasSent;
  }
}
