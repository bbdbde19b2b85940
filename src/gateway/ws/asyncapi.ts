import { stringify } from 'yaml'

import { openapiDocument } from '../http/document.ts'
import { CLOSE_CODE, CLOSE_REASONS } from './close-code.ts'
import { CLIENT_FRAMES, frameSchemaName, SERVER_FRAMES } from './session-frames.ts'

/** Changes when the frames do, not with every release of the broker. */
const ASYNCAPI_VERSION = '1.0.0'
const REFERENCE = '#/components/schemas/'

const CLIENT_MESSAGES = [...Object.keys(CLIENT_FRAMES), 'binaryProduce']
const SERVER_MESSAGES = [...Object.keys(SERVER_FRAMES), 'binaryRecords']

/** A session, frame by frame; test/conformance/examples.test.ts sends them. */
const CLIENT_EXAMPLES: Readonly<Record<keyof typeof CLIENT_FRAMES, object>> = {
  subscribe: {
    type: 'subscribe',
    id: '1',
    sid: 'a',
    topic: 'orders',
    from: 'earliest',
    credit: { records: 100, bytes: 1_048_576 },
  },
  produce: { type: 'produce', id: '2', topic: 'orders', records: [{ key: 'ada', value: { amount: 12 } }] },
  credit: { type: 'credit', sid: 'a', records: 50, bytes: 524_288 },
  ping: { type: 'ping', id: '3' },
  seek: { type: 'seek', id: '4', sid: 'a', from: 'latest' },
  unsubscribe: { type: 'unsubscribe', id: '5', sid: 'a' },
}

function exampleOf(name: string): object {
  const payload = CLIENT_EXAMPLES[name as keyof typeof CLIENT_FRAMES] as object | undefined
  return payload === undefined ? {} : { examples: [{ name, payload }] }
}

/** The AsyncAPI document of the session, with the schemas that the broker reads frames with. */
export function asyncapiDocument(): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Synod sessions',
      version: ASYNCAPI_VERSION,
      description:
        'Many subscriptions and produces on one WebSocket. The first frame is `welcome`. Each frame is an object whose ' +
        '`type` is its name. In synod.v1.json it is one text message. In synod.v1.bin it is one binary message: the length of ' +
        'a header (u32, big-endian), the header, which is the object, then the values of its records as they are.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      contact: { name: 'Synod' },
      tags: [{ name: 'records', description: 'Producing and reading' }],
    },
    defaultContentType: 'application/json',
    servers: {
      broker: { host: 'localhost:8080', protocol: 'ws', description: 'Any broker takes any request.' },
    },
    channels: {
      session: {
        address: '/v1/ws',
        description: `Subprotocol synod.v1.json, which is spoken if none is offered, or synod.v1.bin.\n\n${closeCodesText()}`,
        messages: Object.fromEntries(
          [...CLIENT_MESSAGES, ...SERVER_MESSAGES].map((name) => [
            name,
            { $ref: `#/components/messages/${name}` },
          ]),
        ),
      },
    },
    operations: {
      clientSends: operation('receive', 'What the broker takes.', CLIENT_MESSAGES),
      brokerSends: operation('send', 'What the broker sends.', SERVER_MESSAGES),
    },
    components: {
      messages: Object.fromEntries(
        [...CLIENT_MESSAGES, ...SERVER_MESSAGES].map((name) => [
          name,
          {
            name,
            title: name,
            payload: { $ref: `${REFERENCE}${frameSchemaName(name)}` },
            ...exampleOf(name),
          },
        ]),
      ),
      schemas: schemasOf([...CLIENT_MESSAGES, ...SERVER_MESSAGES].map(frameSchemaName)),
    },
  }
}

export function asyncapiYaml(): string {
  return stringify(asyncapiDocument(), { lineWidth: 0, aliasDuplicateObjects: false })
}

function closeCodesText(): string {
  const names = Object.keys(CLOSE_CODE) as (keyof typeof CLOSE_CODE)[]
  const lines = names.map((name) => `- ${CLOSE_CODE[name]}: ${CLOSE_REASONS[name]}`)
  const ranges =
    'Other codes from 4100 to 4199 ask to connect again with backoff, those from 4500 to 4599 not to.'
  return `The broker closes with\n${lines.join('\n')}\n\n${ranges}`
}

function operation(action: 'send' | 'receive', description: string, names: readonly string[]): object {
  return {
    action,
    summary: description,
    description,
    channel: { $ref: '#/channels/session' },
    messages: names.map((name) => ({ $ref: `#/channels/session/messages/${name}` })),
  }
}

/** These schemas of the OpenAPI document, with all that they refer to. */
function schemasOf(roots: readonly string[]): Record<string, unknown> {
  const { components } = openapiDocument() as { components: { schemas: Record<string, unknown> } }
  const found = new Map<string, unknown>()
  const waiting = [...roots]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue
    const schema = components.schemas[name]
    found.set(name, schema)
    const references = JSON.stringify(schema).matchAll(/"#\/components\/schemas\/([A-Za-z]+)"/g)
    waiting.push(...[...references].map((reference) => reference[1] ?? ''))
  }
  return Object.fromEntries([...found].sort(([left], [right]) => (left < right ? -1 : 1)))
}
