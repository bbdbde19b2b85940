import type { ErrorCode } from '../../errors.ts'
import type { ProblemText } from './problem-text.ts'

const ORDERS = '/v1/topics/orders'
const RECORDS = `${ORDERS}/records`
const BATCHES = `${ORDERS}/batches`
const PAGE = `${ORDERS}/partitions/0/records`
const HOST = 'http://localhost:8080'
const AS_JSON = "-H 'Content-Type: application/json'"

type RequestCode = Extract<
  ErrorCode,
  | 'malformed-request'
  | 'malformed-json'
  | 'unknown-field'
  | 'invalid-field'
  | 'unknown-parameter'
  | 'invalid-parameter'
  | 'invalid-offset'
  | 'invalid-cursor'
  | 'origin-not-allowed'
  | 'topic-not-found'
  | 'partition-not-found'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'request-timeout'
  | 'unsupported-media-type'
  | 'upgrade-required'
  | 'headers-too-large'
  | 'record-too-large'
  | 'batch-too-large'
  | 'invalid-config'
  | 'not-enough-brokers'
  | 'idempotency-key-reused'
>

/** Codes that say what is wrong with a request, whatever the state of the cluster. */
export const REQUEST_PROBLEMS: Readonly<Record<RequestCode, ProblemText>> = {
  'malformed-request': {
    happened: 'The bytes that arrived are no HTTP/1.1 request, or its path is not percent-encoded UTF-8.',
    todo: 'Send the same with `curl -v` and compare what your client sends.',
    example: {
      request: `curl '${HOST}/v1/topics/%ZZ'`,
      instance: '/v1/topics/%ZZ',
      detail: "'%ZZ' is not percent-encoded UTF-8.",
    },
  },
  'malformed-json': {
    happened: 'The body is not JSON, not UTF-8, or nests deeper than 32 levels.',
    todo: 'Check the body with `jq . < file`. Shells often eat quotes: put the body into single quotes or a file.',
    example: {
      request: `curl ${AS_JSON} -d '{"records":[' ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: 'The body is not valid JSON: Unexpected end of JSON input.',
    },
  },
  'unknown-field': {
    happened:
      'The body has a field that this operation does not know. It is refused rather than left aside, for a misspelt option would otherwise do something else than was asked.',
    todo: 'Look at `errors`, which points at each such field; `hint` names one that may be meant.',
    example: {
      request: `curl ${AS_JSON} -d '{"records":[{"txt":"hello"}]}' ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: "There is no field 'txt' here.",
      facts: {
        errors: [
          { pointer: '/records/0/txt', code: 'unknown-field', detail: "There is no field 'txt' here." },
        ],
      },
    },
  },
  'invalid-field': {
    happened: 'A field of the body has a value of another type, or outside its bounds.',
    todo: 'Look at `errors`: `pointer` says where, `detail` what would fit.',
    example: {
      request: `curl ${AS_JSON} -d '{"records":[]}' ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: '`records` is empty.',
      facts: { errors: [{ pointer: '/records', code: 'invalid-field', detail: '`records` is empty.' }] },
    },
  },
  'unknown-parameter': {
    happened: 'The query has a parameter that this operation does not know.',
    todo: 'Correct its name: `hint` names one that may be meant, and /docs lists them all.',
    example: {
      request: `curl '${HOST}${PAGE}?form=earliest'`,
      instance: PAGE,
      detail: "There is no parameter 'form' here.",
    },
  },
  'invalid-parameter': {
    happened:
      'A parameter of the query, a placeholder of the path, or a header that means something here has a value that does not fit.',
    todo: '`detail` names the value, `hint` what would fit.',
    example: {
      request: `curl '${HOST}${PAGE}?limit=many'`,
      instance: PAGE,
      detail: "'many' does not fit limit.",
    },
  },
  'invalid-offset': {
    happened:
      'What stands in `from`, `until` or `at` is no position. Nothing is guessed: a reader that began elsewhere would skip or repeat records in silence.',
    todo: 'Use an offset (one partition only), `0@17,1@12`, `earliest`, `latest`, `-10`, `time:2026-01-31T12:00:00Z` or `cursor:…`.',
    example: {
      request: `curl '${HOST}${PAGE}?from=yesterday'`,
      instance: PAGE,
      detail: "'yesterday' is no start position.",
    },
  },
  'invalid-cursor': {
    happened:
      'The cursor or page token is not one that was given out, was cut short, or has no place in a partition that is read.',
    todo: 'Send it exactly as it came. If it is lost, begin with `from=earliest` or at an offset that you know.',
    example: {
      request: `curl '${HOST}${RECORDS}?cursor=abc'`,
      instance: RECORDS,
      detail: 'The cursor is not whole.',
    },
  },
  'origin-not-allowed': {
    happened:
      'A page in a browser called, and its origin is not on the list. The request was refused before it did anything.',
    todo: 'Start the brokers with the origin in `allowedOrigins`, or serve the page from the broker itself.',
    example: {
      request: `curl -H 'Origin: https://example.com' ${HOST}/v1/topics`,
      instance: '/v1/topics',
      detail: "Pages of 'https://example.com' may not call this broker.",
    },
  },
  'topic-not-found': {
    happened: 'There is no topic of this name, or the broker that was asked does not know it yet.',
    todo: 'Look for a typing error (`hint` names a near one), or create it: `synod topic create orders`.',
    example: {
      request: `curl ${HOST}/v1/topics/ordres`,
      instance: '/v1/topics/ordres',
      detail: "There is no topic 'ordres'.",
    },
  },
  'partition-not-found': {
    happened: 'The topic has fewer partitions than the number says. They are counted from 0.',
    todo: 'Look at GET /v1/topics/{topic}, or give the topic more partitions with PATCH.',
    example: {
      request: `curl ${HOST}${ORDERS}/partitions/9/records`,
      instance: `${ORDERS}/partitions/9/records`,
      detail: "Topic 'orders' has no partition 9.",
    },
  },
  'not-found': {
    happened: 'There is nothing at this address: no such path, broker or operation.',
    todo: 'All addresses are in /docs and /openapi.yaml.',
    example: {
      request: `curl ${HOST}/v2/topics`,
      instance: '/v2/topics',
      detail: "There is nothing at '/v2/topics'.",
    },
  },
  'method-not-allowed': {
    happened: 'The address is there, but not with this method.',
    todo: 'Use one that the header `Allow` names.',
    example: {
      request: `curl -X DELETE ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: `'${RECORDS}' has no method DELETE.`,
      facts: { allow: ['GET', 'POST', 'HEAD', 'OPTIONS'] },
    },
  },
  'not-acceptable': {
    happened: 'The header `Accept` names only forms that this address does not have.',
    todo: 'Send `Accept: */*`, or one of the forms that `hint` names.',
    example: {
      request: `curl -H 'Accept: image/png' ${HOST}/problems/not-acceptable`,
      instance: '/problems/not-acceptable',
      detail: "There is no form 'image/png' of this page.",
    },
  },
  'request-timeout': {
    happened:
      'The headers or the body did not come to their end in time: 30 s for a body, and at least 1 KiB/s after 5 s.',
    todo: 'Send the request again, in one go. Over a slow connection send smaller requests.',
    example: {
      request: `curl -T - ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: 'The body did not end within 30000 ms.',
    },
  },
  'unsupported-media-type': {
    happened: 'The body says that it is of another type than the operation takes.',
    todo: 'Send the `Content-Type` that `hint` names. To store any bytes as one record, use POST …/records.',
    example: {
      request: `curl -H 'Content-Type: text/csv' -d 'a,b' ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: "The body is 'text/csv'.",
    },
  },
  'upgrade-required': {
    happened: 'This address speaks WebSocket, and the request was a plain GET.',
    todo: 'Connect with a WebSocket client: `hint` is a line for wscat. For plain HTTP there is GET …/stream.',
    example: {
      request: `curl ${HOST}${ORDERS}/subscribe`,
      instance: `${ORDERS}/subscribe`,
      detail: 'This address speaks WebSocket; the request did not ask for it.',
    },
  },
  'headers-too-large': {
    happened: 'The headers have more than 16 KiB, or there are more than 64.',
    todo: 'Put long values into the body. A page in a browser may send many cookies: use another host name.',
    example: {
      request: `curl -H "X-Long: $(head -c 20000 /dev/zero | tr '\\0' x)" ${HOST}/v1/topics`,
      instance: '/',
      detail: 'The headers have more than 16 KiB.',
    },
  },
  'record-too-large': {
    happened: 'A record with its key and headers is larger than the topic, or the broker, takes.',
    todo: 'Split it, keep the value elsewhere and produce its address, or raise the topic’s `recordBytesMax` (at most what the broker takes).',
    example: {
      request: `head -c 2000000 /dev/zero | curl --data-binary @- ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: 'The body has more than 1048576 bytes.',
      facts: { bytesMax: 1_048_576 },
    },
  },
  'batch-too-large': {
    happened:
      'The body as a whole is larger than 4 MiB (64 KiB where no records are in it), or a batch has more than 1,000 records.',
    todo: 'Send fewer records in a request. Each request is answered only when it is durable, so several under way at once are as fast.',
    example: {
      request: `curl ${AS_JSON} -d @too-many.json ${HOST}${BATCHES}`,
      instance: BATCHES,
      detail: 'The batch has 1001 records.',
    },
  },
  'invalid-config': {
    happened: 'The settings do not fit together, or not to what the topic is already.',
    todo: '`detail` says which. Compare with what GET /v1/topics/{topic} shows.',
    example: {
      request: `curl -X PATCH ${AS_JSON} -d '{"partitions":1}' ${HOST}${ORDERS}`,
      instance: ORDERS,
      detail: 'The topic has 3 partitions already and cannot have fewer.',
    },
  },
  'not-enough-brokers': {
    happened: 'More copies were asked for than there are brokers to hold them.',
    todo: 'Ask for a lower `replicationFactor`, or add brokers: GET /v1/brokers shows those there are.',
    example: {
      request: `curl -X PUT ${AS_JSON} -d '{"replicationFactor":5}' ${HOST}${ORDERS}`,
      instance: ORDERS,
      detail: 'There are 3 brokers for 5 replicas.',
    },
  },
  'idempotency-key-reused': {
    happened:
      'The `Idempotency-Key` came before with another request: other records, another address, or other headers that are stored.',
    todo: 'Draw a new key, such as a UUID, for each new request, and keep it only for trying that very request again.',
    example: {
      request: `curl -H 'Idempotency-Key: 1' -d other ${HOST}${RECORDS}`,
      instance: RECORDS,
      detail: 'This Idempotency-Key came with another body before.',
    },
  },
}
