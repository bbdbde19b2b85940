package dev.synod.client;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.ResponseBody;

/**
 * The brokers of a cluster. Any broker takes any request, so a client asks one of them and goes on to the next when that does not
 * help. As an interceptor it does so for the generated calls too.
 */
final class Brokers implements Interceptor {
  /** For one try of one broker; longer than a broker takes to say that it does not know. */
  private static final long TRY_TIMEOUT_MS = 10_000;

  private static final long BACKOFF_FIRST_MS = 100;
  private static final long BACKOFF_MAX_MS = 5_000;
  private static final long PROBLEM_BYTES_MAX = 1 << 20;
  private static final Set<String> HARMLESS_TWICE = Set.of("GET", "HEAD", "PUT");

  private final List<HttpUrl> urls;
  private final AtomicInteger at = new AtomicInteger();

  Brokers(List<HttpUrl> urls) {
    this.urls = urls;
  }

  static List<HttpUrl> parse(List<String> addresses) {
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("A client needs the URL of at least one broker.");
    }
    return addresses.stream().map(HttpUrl::get).toList();
  }

  /** A client whose connections say of each request that it went out. */
  static OkHttpClient connectionsOf(OkHttpClient given) {
    return given
        .newBuilder()
        // It would send what must not be sent twice again by itself.
        .retryOnConnectionFailure(false)
        .addNetworkInterceptor(
            chain -> {
              Attempt attempt = chain.request().tag(Attempt.class);
              if (attempt != null) {
                attempt.wasSent.set(true);
              }
              return chain.proceed(chain.request());
            })
        .build();
  }

  private record Attempt(AtomicBoolean wasSent) {}

  int place() {
    return at.get();
  }

  HttpUrl url(int place) {
    return urls.get(place);
  }

  /** Goes on from a broker that did not help, unless another call did so meanwhile. */
  void moveOn(int from) {
    at.compareAndSet(from, (from + 1) % urls.size());
  }

  /**
   * An answer with a status below 400. What failed is sent again exactly when the brokers say that this may help and does no harm,
   * or when nobody said anything and sending it twice does none.
   *
   * @throws IOException whose cause is a SynodException, since an interceptor may throw no other
   */
  @Override
  public Response intercept(Chain chain) throws IOException {
    CallOptions given = chain.request().tag(CallOptions.class);
    CallOptions options = given == null ? CallOptions.DEFAULT : given;
    long giveUpAt = System.nanoTime() + options.timeout().toNanos();
    boolean mayHaveHappened = false;
    for (int failures = 1; ; failures++) {
      int place = place();
      try {
        return tryOnce(chain, url(place), giveUpAt);
      } catch (SynodException failure) {
        mayHaveHappened |= isUnclear(failure);
        boolean isWorthAnother = canBeSentAgain(chain.request(), failure) && !chain.call().isCanceled();
        // Also before giving up: the next call is not to begin at a broker that did not help this one.
        if (isWorthAnother) {
          moveOn(place);
        }
        long waitMs = Math.max(backoffMs(failures), retryAfterMs(failure));
        boolean isOver =
            failures >= options.triesMax() || System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(waitMs) - giveUpAt > 0;
        if (isOver || !isWorthAnother) {
          throw new IOException(mayHaveHappened ? asUnclear(failure) : failure);
        }
        sleep(waitMs);
      }
    }
  }

  private Response tryOnce(Chain chain, HttpUrl broker, long giveUpAt) {
    long leftMs = TimeUnit.NANOSECONDS.toMillis(giveUpAt - System.nanoTime());
    int timeoutMs = (int) Math.max(1, Math.min(TRY_TIMEOUT_MS, leftMs));
    Attempt attempt = new Attempt(new AtomicBoolean());
    HttpUrl asked = chain.request().url();
    HttpUrl.Builder url = asked.newBuilder().scheme(broker.scheme()).host(broker.host()).port(broker.port());
    String prefix = broker.encodedPath();
    if (!prefix.equals("/")) {
      url.encodedPath(prefix.replaceAll("/$", "") + asked.encodedPath());
    }
    Request request = chain.request().newBuilder().url(url.build()).tag(Attempt.class, attempt).build();
    try {
      Response response =
          chain
              .withConnectTimeout(timeoutMs, TimeUnit.MILLISECONDS)
              .withReadTimeout(timeoutMs, TimeUnit.MILLISECONDS)
              .withWriteTimeout(timeoutMs, TimeUnit.MILLISECONDS)
              .proceed(request);
      if (response.code() < 400) {
        return isStream(response) ? response : whole(response);
      }
      try (response) {
        String body = response.peekBody(PROBLEM_BYTES_MAX).string();
        throw SynodProblem.of(response.code(), body, request.url().toString());
      }
    } catch (IOException cause) {
      boolean wasSent = attempt.wasSent.get();
      throw new NoAnswer(broker + (wasSent ? " did not answer." : " cannot be reached."), wasSent, cause);
    }
  }

  private static boolean isStream(Response response) {
    String contentType = response.header("Content-Type", "");
    return contentType.startsWith("application/x-ndjson") || contentType.startsWith("text/event-stream");
  }

  /** With its body read, so that a connection that breaks meanwhile is a try that failed. */
  private static Response whole(Response response) throws IOException {
    try (ResponseBody body = response.body()) {
      return response.newBuilder().body(ResponseBody.create(body.bytes(), body.contentType())).build();
    }
  }

  private static boolean isUnclear(SynodException failure) {
    if (failure instanceof NoAnswer noAnswer) {
      return noAnswer.wasSent();
    }
    return !(failure instanceof SynodProblem problem) || problem.sideEffectsArePossible();
  }

  private static boolean canBeSentAgain(Request request, SynodException failure) {
    if (request.body() != null && request.body().isOneShot()) {
      return false;
    }
    if (failure instanceof SynodProblem problem) {
      return problem.isRetryable() || (problem.code().equals("outcome-unknown") && isHarmlessTwice(request));
    }
    return failure instanceof NoAnswer noAnswer && (!noAnswer.wasSent() || isHarmlessTwice(request));
  }

  /** It only reads, or sets, or has what makes a produce idempotent. */
  private static boolean isHarmlessTwice(Request request) {
    return HARMLESS_TWICE.contains(request.method())
        || request.header("Idempotency-Key") != null
        || request.header("Producer-Id") != null;
  }

  private static SynodException asUnclear(SynodException failure) {
    if (failure instanceof SynodProblem problem) {
      return problem.withSideEffectsPossible();
    }
    return new NoAnswer(failure.getMessage(), true, failure);
  }

  private static long retryAfterMs(SynodException failure) {
    Duration wanted = failure instanceof SynodProblem problem ? problem.retryAfter() : null;
    return wanted == null ? 0 : Math.min(wanted.toMillis(), BACKOFF_MAX_MS);
  }

  /** How long to wait after the n-th failure in a row, from 1: doubled each time, half of it by chance. */
  static long backoffMs(int failures) {
    long full = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS << Math.min(failures - 1, 10));
    return full / 2 + ThreadLocalRandom.current().nextLong(full / 2);
  }

  static void sleep(long ms) {
    try {
      Thread.sleep(ms);
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
      throw new NoAnswer("The thread was interrupted.", true, interrupted);
    }
  }
}
