import { produceTarget, rawHttpTarget } from './http-target.ts'
import type { FuzzTarget } from './target.ts'
import { wildMessageTarget } from './wild-message-target.ts'
import { staleMessageTarget } from './stale-message-target.ts'
import { storageTarget } from './storage-target.ts'
import { flushTarget, frameTarget, typedMessageTarget } from './transport-target.ts'
import { sessionTarget } from './session-target.ts'
import { webSocketTarget } from './websocket-target.ts'

export const TARGETS: readonly FuzzTarget[] = [
  flushTarget,
  frameTarget,
  typedMessageTarget,
  storageTarget,
  wildMessageTarget,
  staleMessageTarget,
  produceTarget,
  rawHttpTarget,
  webSocketTarget,
  sessionTarget,
]
