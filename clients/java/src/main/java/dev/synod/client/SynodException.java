package dev.synod.client;

/** All that this client throws by itself. */
public class SynodException extends RuntimeException {
  SynodException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * What this client found wrong, if that is the reason for the given exception, else null. The generated calls wrap it into an
   * ApiException.
   */
  public static SynodException reasonOf(Throwable thrown) {
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      if (each instanceof SynodException reason) {
        return reason;
      }
    }
    return null;
  }
}
