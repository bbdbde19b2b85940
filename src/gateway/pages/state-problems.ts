import type { ErrorCode } from '../../errors.ts'
import type { ProblemText } from './problem-text.ts'
import type { REQUEST_PROBLEMS } from './request-problems.ts'

const ORDERS = '/v1/topics/orders'
const RECORDS = `${ORDERS}/records`
const BATCHES = `${ORDERS}/batches`
const PAGE = `${ORDERS}/partitions/0/records`
const HOST = 'http://localhost:8080'
const AS_JSON = "-H 'Content-Type: application/json'"
const PRODUCE = `curl -d hello ${HOST}${RECORDS}`
const WHO_IS_MISSING = 'GET /v1/brokers shows which brokers are missing; `synod doctor` says what to do.'

type StateCode = Exclude<ErrorCode, keyof typeof REQUEST_PROBLEMS>

/** Codes of requests that are in order, but not now, not here, or not any more. */
export const STATE_PROBLEMS: Readonly<Record<StateCode, ProblemText>> = {
  'producer-fenced': {
    happened:
      'Another producer with the same `Producer-Id` and a higher `Producer-Epoch` has stored records. This one is to stop, so that the two do not mix. A WebSocket session is closed with 4506 after this error.',
    todo: 'Stop this producer. If it is the one that should go on, start it anew with an epoch above `currentEpoch` and `Producer-Seq: 0`.',
    example: {
      request: `curl -H 'Producer-Id: p' -H 'Producer-Epoch: 1' -H 'Producer-Seq: 0' -d hello ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: 'A producer with epoch 2 has taken over.',
      facts: { currentEpoch: 2 },
    },
  },
  'offset-trimmed': {
    happened:
      'The records from this offset on were let go, by their age, by the size of the partition, or by an operator. Reading never goes on elsewhere by itself.',
    todo: 'Decide what the gap means to you, then read on from `logStart` or `earliest`. To keep records longer, raise `retentionMs` or `retentionBytes`.',
    example: {
      request: `curl '${HOST}${PAGE}?from=0'`,
      instance: PAGE,
      detail: 'The records before offset 1200 were trimmed.',
      facts: { logStart: 1_200 },
    },
  },
  'topic-deleted': {
    happened:
      'The topic was deleted while it was read or written, or the cursor is of a topic that was deleted. One of the same name may have been created since: it is another topic.',
    todo: 'List what there is with GET /v1/topics. Read the new one from its beginning.',
    example: {
      request: `curl '${HOST}${RECORDS}?cursor=…'`,
      instance: RECORDS,
      detail: "The cursor is of another topic than the 'orders' of now.",
    },
  },
  'topic-config-differs': {
    happened:
      'The topic was to be created, and there is one of this name that is different from what the body asks for.',
    todo: 'Compare `differences`. Change the topic with PATCH, or create another one.',
    example: {
      request: `curl -X PUT ${AS_JSON} -d '{"partitions":6}' ${HOST}${ORDERS}`,
      instance: ORDERS,
      detail: "Topic 'orders' exists and is different.",
      facts: { differences: [{ field: 'partitions', wanted: 6, actual: 3 }] },
    },
  },
  'sequence-gap': {
    happened:
      'The `Producer-Seq` is not the next one of this producer in this partition. A record before it is missing, or part of it was stored with other records around it.',
    todo: 'Send the records from `expectedSeq` on (also in the header `Producer-Expected-Seq`). If that is 0, this epoch of the producer is not known here (any more).',
    example: {
      request: `curl -H 'Producer-Id: p' -H 'Producer-Epoch: 0' -H 'Producer-Seq: 7' -d hello ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: 'The next Producer-Seq of this producer here is 5.',
      facts: { expectedSeq: 5 },
    },
  },
  'topic-closed': {
    happened: 'The topic was closed: it can be read and takes no more records.',
    todo: 'Open it again with PATCH and `{"config":{"closed":false}}`, or produce elsewhere.',
    example: { request: PRODUCE, instance: RECORDS, detail: "Topic 'orders' is closed." },
  },
  'not-a-replica': {
    happened: 'A broker was to lead a partition that it holds no copy of.',
    todo: 'Choose one of the `replicas` that GET /v1/topics/{topic} shows, or move a replica there first.',
    example: {
      request: `curl ${AS_JSON} -d '{"broker":"4"}' ${HOST}${ORDERS}/partitions/0/leader`,
      instance: `${ORDERS}/partitions/0/leader`,
      detail: 'Broker 4 holds no replica of partition 0.',
    },
  },
  'reassignment-in-progress': {
    happened: 'The replicas of this partition, or what this broker holds, are being moved already.',
    todo: 'Wait for it with `synod operation wait`, or cancel it: GET /v1/operations lists what runs.',
    example: {
      request: `curl -X PUT ${AS_JSON} -d '{"brokers":["1","2","4"]}' ${HOST}${ORDERS}/partitions/0/replicas`,
      instance: `${ORDERS}/partitions/0/replicas`,
      detail: 'The replicas of partition 0 are being moved by op7.',
    },
  },
  'would-lose-quorum': {
    happened:
      'What was asked for would leave a partition, or the metadata, without a majority or without its only copy.',
    todo: `Bring the other brokers back first. ${WHO_IS_MISSING}`,
    example: {
      request: `curl -X DELETE '${HOST}/v1/brokers/2?force=true'`,
      instance: '/v1/brokers/2',
      detail: 'Partition 0 of orders would have no majority without broker 2.',
    },
  },
  'operation-ended': {
    happened: 'The operation was to be cancelled, and it has ended already.',
    todo: 'See what it came to with GET /v1/operations/{id}. To undo a move, move back.',
    example: {
      request: `curl -X POST ${HOST}/v1/operations/op7/cancel`,
      instance: '/v1/operations/op7/cancel',
      detail: 'Operation op7 is done.',
    },
  },
  'offset-mismatch': {
    happened:
      'The record was to be stored only at `Expected-Offset`, and the partition ends elsewhere: somebody else stored something.',
    todo: 'Read what came since, decide anew, and send with the offset that `highWatermark` names. Or it is your own first try, whose answer was lost: look whether it is there.',
    example: {
      request: `curl -H 'Expected-Offset: 41' -d hello '${HOST}${RECORDS}?partition=0'`,
      instance: RECORDS,
      detail: 'The next offset is 42.',
      facts: { highWatermark: 42 },
    },
  },
  'etag-mismatch': {
    happened: 'The topic was changed since the ETag in `If-Match` was given out.',
    todo: 'GET the topic again, look at what changed, and send its new ETag.',
    example: {
      request: `curl -X PATCH -H 'If-Match: "3"' ${AS_JSON} -d '{"partitions":6}' ${HOST}${ORDERS}`,
      instance: ORDERS,
      detail: 'The topic was changed since: its ETag is "4".',
    },
  },
  'offset-out-of-range': {
    happened:
      'The offset is beyond the end of the partition: no record has it yet. The leader was asked, so no broker that is behind says this.',
    todo: 'Read on from `highWatermark`, or wait for new records with `wait` or a stream. If you had read further before, the topic is another one.',
    example: {
      request: `curl '${HOST}${PAGE}?from=5000'`,
      instance: PAGE,
      detail: 'Offset 5000 is beyond the end at 42.',
      facts: { highWatermark: 42 },
    },
  },
  'topic-full': {
    happened:
      'The partition holds its `retentionBytes`, and the topic is set to refuse (`onFull: reject`) rather than let old records go.',
    todo: 'Read and trim (`synod topic trim`), raise `retentionBytes`, or set `onFull` to `trim`.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'Partition 0 of orders is full.' },
  },
  'disk-full': {
    happened: 'The disks of the brokers that could store it are nearly full. What is stored stays readable.',
    todo: 'Free space, let old records go, or add brokers: `diskFreeBytes` in GET /v1/brokers, and `synod doctor` on the machine.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'The disk of broker 1 is full.' },
  },
  'no-leader': {
    happened:
      'Nobody led the partition within the time that a request waits. An election takes well under a second, so it is either a moment’s matter or brokers are missing.',
    todo: 'Try again after `Retry-After`. If it stays so: GET …/partitions/{p}/paxos shows the election.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'Partition 0 of orders has no leader.' },
  },
  'no-quorum': {
    happened:
      'A majority of the partition’s replicas cannot be reached, so nothing can be decided. What is committed stays readable. A WebSocket that could read nothing for 30 s for that reason, or because there was no leader, is closed with 4102: another broker may reach more.',
    todo: `Try again after \`Retry-After\`, and bring brokers back. ${WHO_IS_MISSING}`,
    example: { request: PRODUCE, instance: RECORDS, detail: 'No majority of partition 0 of orders answers.' },
  },
  'not-enough-in-sync': {
    happened:
      'Fewer replicas are in sync than the topic wants (`minInSync`), or all of them were asked for (`acks=all`) and one lags.',
    todo: 'Try again; GET …/partitions/{p}/paxos shows who lags. Or do with fewer: lower `minInSync`.',
    example: {
      request: `curl -d hello '${HOST}${RECORDS}?acks=all'`,
      instance: RECORDS,
      detail: '2 of 3 replicas are in sync.',
    },
  },
  overloaded: {
    happened:
      'The broker holds as much of others’ requests and answers as it may, or a queue is full. It refused this one before it did anything. A WebSocket session for whose frame there is no room is closed with 1013.',
    todo: 'Try again after `Retry-After`, with fewer requests at once and a pause that grows. Other brokers may have room.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'The broker holds 67108864 bytes of requests.' },
  },
  draining: {
    happened:
      'The broker is about to stop and takes nothing new. Its WebSockets are closed with 1001 if they could be told before (`moving`), else with 1012.',
    todo: 'Send it to another broker: GET /v1/brokers lists them. This one is back after its restart.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'This broker is about to stop.' },
  },
  internal: {
    happened:
      'Something that nobody expected went wrong inside the broker. It is in the broker’s log, under the `requestId`.',
    todo: 'If it was a read, try again. If it was a write, see below. If it happens again, give the `requestId` to who runs the brokers.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'The broker failed to answer this request.' },
  },
  'outcome-unknown': {
    happened:
      'The records were handed to the leader, and no decision came back in time. They may be stored, be stored later, or never.',
    todo: 'With idempotency fields, send the very same request again: it is stored once. Without, read the end of the partition first. Give each request an `Idempotency-Key` to be spared of this.',
    example: { request: PRODUCE, instance: RECORDS, detail: 'Partition 0 did not answer within 6000 ms.' },
  },
  'replica-behind': {
    happened:
      'The read asked for more than this broker knows to be committed (`Read-After`, `from`, `consistency`), and it did not catch up in time.',
    todo: 'Try again, or ask another broker: GET /v1/brokers lists them.',
    example: {
      request: `curl -H 'Read-After: 0@41' ${HOST}${PAGE}`,
      instance: PAGE,
      detail: 'This replica of partition 0 has committed up to 38.',
    },
  },
  'replica-damaged': {
    happened:
      'The disk of this broker lost the entries that were asked for. They are being fetched from another replica.',
    todo: 'Try again, or ask another broker. If it stays so, no reachable replica has them: bring the missing brokers back.',
    example: {
      request: `curl '${HOST}${PAGE}?from=17'`,
      instance: PAGE,
      detail: 'Offset 17 of partition 0 is damaged here.',
    },
  },
  'partial-append': {
    happened:
      'The records of the request went to several partitions. Each part is stored wholly or not at all; some were, others were not.',
    todo: 'Look at `results`, in the order of the request: a receipt or a problem each. Send again what failed; with an `Idempotency-Key` from the start, all of it.',
    example: {
      request: `curl ${AS_JSON} -d @records.json ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: '1 of 2 partitions did not store their part.',
      facts: {
        results: [
          {
            topic: 'orders',
            partition: 0,
            offset: 41,
            timestamp: '2026-01-31T12:00:00.000Z',
            duplicate: false,
          },
          { problem: { code: 'no-leader', status: 503 } },
        ],
      },
    },
  },
}
