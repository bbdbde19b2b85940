/** The four lanes between two brokers; what travels in which stands in `lanes.ts` and DESIGN.md. */
export const LANES = ['ctl', 'data', 'bulk', 'fwd'] as const
export type LaneName = (typeof LANES)[number]

const KIB = 1024
const MIB = 1024 * KIB

/** One frame, header included. Larger messages are never sent, and close the lane on which they arrive. */
export const FRAME_BYTES_MAX = 48 * MIB
/** What one flush may announce; checked before anything is allocated for it. */
export const FLUSH_BYTES_MAX = 64 * MIB
/** A flush takes frames up to this size, or one larger frame. */
export const FLUSH_BYTES = 1 * MIB
/** Bytes handed to the socket and not yet taken by the kernel; above it frames wait in the lane's queue. */
export const IN_FLIGHT_BYTES_MAX = 1 * MIB

/** What may wait in a lane's queue to one peer. */
export const QUEUE_BYTES_MAX: Readonly<Record<LaneName, number>> = {
  ctl: 8 * MIB,
  data: 32 * MIB,
  bulk: 32 * MIB,
  fwd: 64 * MIB,
}
/** What a waiting frame counts beside its own bytes, so that tiny frames are bounded too. */
export const FRAME_OVERHEAD_BYTES = 128

/** Requests to one peer that have no answer yet; the same number is accepted from one peer. */
export const OUTSTANDING_REQUESTS_MAX = 10_000
/** A peer's request is worked on no longer, whatever it says: a timer above 2^31 ms would end it at once. */
export const REQUEST_DEADLINE_MS_MAX = 3_600_000
/** How long a request waits for a lane that is being opened. */
export const OPENING_WAIT_MS_MAX = 100

/** A promise that carries more than this travels with the data, so that no heartbeat waits behind it. */
export const CONTROL_MESSAGE_BYTES_MAX = 64 * KIB

/** An attempt to open a lane is given up after this. */
export const DIAL_TIMEOUT_MS = 1_000
/** A lane that was opened must prove its key within this time. */
export const PROOF_TIMEOUT_MS = 5_000
export const REOPEN_DELAY_MIN_MS = 50
export const REOPEN_DELAY_MAX_MS = 1_000
/** The lane `ctl` is tried more often, so that a broker that returns is found quickly. */
export const CONTROL_REOPEN_DELAY_MAX_MS = 250
/** A session that lasted this long was a good one: the next attempt is made at once. */
export const STABLE_SESSION_MS = 1_000
/** While a peer sends on `ctl`, it gets a sign of life this often in the answer's body. */
export const SIGN_OF_LIFE_MS = 500
/** Without any sign of life for so long the lanes are opened anew: the peer may have vanished without a word. */
export const SILENCE_MS_MAX = 3_000
/** A flush of which the kernel takes nothing is given up after this, plus a millisecond for each 100 bytes. */
export const STALL_MS_MAX = 40_000

export const CONNECTIONS_MAX = 256
export const HEADERS_COUNT_MAX = 64
export const HEADERS_TIMEOUT_MS = 5_000
export const CONNECTIONS_CHECK_MS = 1_000
/** Bodies that end: JSON from people, hello and formation. */
export const JSON_BODY_BYTES_MAX = 4 * MIB
export const JSON_BODY_TIMEOUT_MS = 30_000
/** Challenges handed out by hello and not used yet. */
export const CHALLENGES_MAX = 256
export const CHALLENGE_TTL_MS = 30_000
export const SECRET_BYTES_MIN = 32
