import { SynodError } from '../../errors.ts'
import { TOPIC_NAME } from './topic-lookup.ts'

/** Where the next page of topics begins. Opaque, so that it may become something else. */
export function encodePageToken(lastName: string): string {
  return Buffer.from(lastName, 'utf8').toString('base64url')
}

/** Errors: 'invalid-cursor'. */
export function decodePageToken(token: string): string {
  const name = Buffer.from(token, 'base64url').toString('utf8')
  if (TOPIC_NAME.test(name) && encodePageToken(name) === token) return name
  throw new SynodError('invalid-cursor', `'${token.slice(0, 80)}' is no page token.`, {
    hint: 'Send the nextPageToken of the page before, as it is.',
  })
}
