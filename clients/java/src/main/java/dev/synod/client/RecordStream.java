package dev.synod.client;

import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.util.Iterator;
import java.util.NoSuchElementException;
import okhttp3.Response;

/**
 * The records of a stream of NDJSON, as they arrive; the broker is held back while the loop is busy. Throws SynodProblem for what
 * the broker says, in its last line too, and NoAnswer when the connection breaks.
 */
public final class RecordStream implements Iterator<SynodRecord>, Iterable<SynodRecord>, AutoCloseable {
  private final Response response;
  private SynodRecord next;
  private boolean isOver;

  RecordStream(Response response) {
    this.response = response;
  }

  /** Itself: it can be read once. */
  @Override
  public Iterator<SynodRecord> iterator() {
    return this;
  }

  @Override
  public boolean hasNext() {
    while (next == null && !isOver) {
      String line = readLine();
      if (line == null) {
        isOver = true;
        close();
      } else if (!line.isBlank()) {
        next = recordOf(line);
      }
    }
    return next != null;
  }

  @Override
  public SynodRecord next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The stream is at its end.");
    }
    SynodRecord given = next;
    next = null;
    return given;
  }

  @Override
  public void close() {
    isOver = true;
    response.close();
  }

  private String readLine() {
    try {
      return response.body().source().readUtf8Line();
    } catch (IOException cause) {
      throw new NoAnswer("The stream broke.", true, cause);
    }
  }

  private static SynodRecord recordOf(String line) {
    JsonObject said;
    try {
      said = JsonParser.parseString(line).getAsJsonObject();
    } catch (JsonParseException | IllegalStateException cause) {
      throw new NoAnswer("The stream broke within a line.", true, cause);
    }
    if (said.has("problem")) {
      throw new SynodProblem(said.getAsJsonObject("problem"));
    }
    return SynodRecord.of(said);
  }
}
