package dev.synod.client;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.time.Duration;

/** A broker answered with an error (RFC 9457). */
public final class SynodProblem extends SynodException {
  private static final int STATUS_IF_NOT_SAID = 500;

  private final transient JsonObject members;

  SynodProblem(JsonObject members) {
    super((text(members, "code") + ": " + text(members, "detail") + " " + text(members, "hint")).strip(), null);
    this.members = members;
  }

  /** All that the broker said, facts such as {@code highWatermark} among it. */
  public JsonObject members() {
    return members.deepCopy();
  }

  /** What went wrong, for programs. */
  public String code() {
    return text(members, "code");
  }

  /** The HTTP status. */
  public int status() {
    JsonElement status = members.get("status");
    return status == null ? STATUS_IF_NOT_SAID : status.getAsInt();
  }

  /** What went wrong this time. */
  public String detail() {
    return text(members, "detail");
  }

  /** What to try next. */
  public String hint() {
    return text(members, "hint");
  }

  /** Sending the same again may succeed and does no harm. */
  public boolean isRetryable() {
    JsonElement retryable = members.get("retryable");
    return retryable != null && retryable.getAsBoolean();
  }

  /** Something may have been stored or changed although the call failed. */
  public boolean sideEffectsArePossible() {
    return !text(members, "sideEffects").equals("none");
  }

  /** After which trying again may help; null if the broker does not say. */
  public Duration retryAfter() {
    JsonElement ms = members.get("retryAfterMs");
    return ms == null ? null : Duration.ofMillis(ms.getAsLong());
  }

  /** What the last try says of itself does not hold for the tries before it. */
  SynodProblem withSideEffectsPossible() {
    JsonObject changed = members();
    changed.addProperty("sideEffects", "possible");
    return new SynodProblem(changed);
  }

  /** What a broker, or something between, answered with an error status. */
  static SynodProblem of(int status, String body, String address) {
    try {
      if (JsonParser.parseString(body) instanceof JsonObject said && said.has("code")) {
        return new SynodProblem(said);
      }
    } catch (JsonParseException noProblem) {
      // A proxy's page is no problem document; its status is all there is to know.
    }
    JsonObject made = new JsonObject();
    made.addProperty("code", "unexpected-answer");
    made.addProperty("status", status);
    made.addProperty("title", "Something else than a broker answered");
    made.addProperty("detail", address + " answered " + status + ".");
    made.addProperty("hint", "Check the address of the broker.");
    made.addProperty("retryable", status == 502 || status == 503 || status == 504);
    made.addProperty("sideEffects", "possible");
    return new SynodProblem(made);
  }

  static SynodProblem trimmed(long lostCount) {
    JsonObject made = new JsonObject();
    made.addProperty("code", "offset-trimmed");
    made.addProperty("status", 410);
    made.addProperty("title", "The records are no longer there");
    made.addProperty("detail", lostCount + " records that come next are trimmed.");
    made.addProperty("hint", "Subscribe again from the earliest record.");
    made.addProperty("retryable", false);
    made.addProperty("sideEffects", "none");
    made.addProperty("lost", lostCount);
    return new SynodProblem(made);
  }

  private static String text(JsonObject members, String name) {
    JsonElement text = members.get(name);
    return text == null ? "" : text.getAsString();
  }
}
