package dev.synod.conformance;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.SocketFactory;

/** Counts the records in what comes over WebSockets, by reading along at the bytes of the connection. */
final class RecordCounter extends SocketFactory {
  private static final int OPCODE_BINARY = 2;

  private final AtomicInteger count = new AtomicInteger();

  int count() {
    return count.get();
  }

  @Override
  public Socket createSocket() {
    return new Socket() {
      private InputStream counted;

      @Override
      public InputStream getInputStream() throws IOException {
        if (counted == null) {
          counted = new CountedStream(super.getInputStream());
        }
        return counted;
      }
    };
  }

  @Override
  public Socket createSocket(String host, int port) {
    throw new UnsupportedOperationException("okhttp connects sockets itself.");
  }

  @Override
  public Socket createSocket(String host, int port, InetAddress localHost, int localPort) {
    return createSocket(host, port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port) {
    return createSocket(host.getHostName(), port);
  }

  @Override
  public Socket createSocket(InetAddress host, int port, InetAddress localHost, int localPort) {
    return createSocket(host, port);
  }

  private final class CountedStream extends FilterInputStream {
    private final ByteArrayOutputStream unread = new ByteArrayOutputStream();
    private boolean isUpgraded;

    CountedStream(InputStream in) {
      super(in);
    }

    @Override
    public int read() {
      throw new UnsupportedOperationException("okhttp reads many bytes at once.");
    }

    @Override
    public int read(byte[] into, int offset, int length) throws IOException {
      int size = super.read(into, offset, length);
      if (size > 0) {
        unread.write(into, offset, size);
        takeAll();
      }
      return size;
    }

    private void takeAll() {
      byte[] bytes = unread.toByteArray();
      int at = isUpgraded ? 0 : endOfHead(bytes);
      if (at < 0) {
        return;
      }
      isUpgraded = true;
      for (int end = endOfMessage(bytes, at); end > 0; end = endOfMessage(bytes, at)) {
        at = end;
      }
      unread.reset();
      unread.write(bytes, at, bytes.length - at);
    }

    private int endOfHead(byte[] bytes) {
      int end = new String(bytes, StandardCharsets.ISO_8859_1).indexOf("\r\n\r\n");
      return end < 0 ? -1 : end + 4;
    }

    /** Of a message of one part that is not masked, which is how brokers send; -1 if it is not whole. */
    private int endOfMessage(byte[] bytes, int start) {
      int available = bytes.length - start;
      int sizeOrMark = available < 2 ? 0 : bytes[start + 1] & 127;
      int headSize = sizeOrMark == 126 ? 4 : sizeOrMark == 127 ? 10 : 2;
      if (available < headSize) {
        return -1;
      }
      ByteBuffer head = ByteBuffer.wrap(bytes, start, available);
      int opcode = head.getShort() >> 8 & 15;
      long size = headSize == 4 ? head.getShort() & 0xffff : headSize == 10 ? head.getLong() : sizeOrMark;
      if (head.remaining() < size) {
        return -1;
      }
      int end = head.position() + (int) size;
      if (opcode == OPCODE_BINARY) {
        countIn(Arrays.copyOfRange(bytes, head.position(), end));
      }
      return end;
    }

    private void countIn(byte[] message) {
      int headerSize = ByteBuffer.wrap(message).getInt();
      String header = new String(message, Integer.BYTES, headerSize, StandardCharsets.UTF_8);
      JsonObject frame = JsonParser.parseString(header).getAsJsonObject();
      if (frame.has("records")) {
        count.addAndGet(frame.getAsJsonArray("records").size());
      }
    }
  }
}
