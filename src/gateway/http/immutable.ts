import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'

import type { TopicId } from '../../types/ids.ts'

const YEAR_S = 31_536_000
/** Counts up when records are shown in another way, so that no cache takes the old bytes for the new ones. */
const FORM_VERSION = 1

/** Records below the high watermark never change; what a trim hides from readers, caches may still show. */
export interface Unchanging {
  readonly topicId: TopicId
  readonly partition: number
  readonly fromOffset: number
  readonly nextOffset: number
}

/** What lets caches keep an answer for ever. `Vary` because the answer to a page of another origin has more headers. */
export function immutableHeaders({
  topicId,
  partition,
  fromOffset,
  nextOffset,
}: Unchanging): OutgoingHttpHeaders {
  return {
    ETag: `"${FORM_VERSION}-${topicId}-${partition}-${fromOffset}-${nextOffset}"`,
    'Cache-Control': `max-age=${YEAR_S}, immutable`,
    Vary: 'Origin',
  }
}

/** Whether the client has this answer already. The comparison for If-None-Match is the weak one (RFC 9110, 13.1.2). */
export function isHeldByClient(request: IncomingMessage, headers: OutgoingHttpHeaders): boolean {
  const asked = request.headers['if-none-match']
  const { ETag: own } = headers
  if (asked === undefined || own === undefined) return false
  const tags = asked.split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.some((tag) => tag === '*' || tag === own)
}
