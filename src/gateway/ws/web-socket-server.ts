import { WebSocketServer } from 'ws'

export interface WebSocketLimits {
  /** A longer message closes the socket with 1009. */
  readonly messageBytesMax: number
  /** Chooses among the subprotocols that a client offers. */
  readonly chooseProtocol: (offered: ReadonlySet<string>) => string | false
}

/** The protocol of every WebSocket of a broker, whatever is spoken over it. */
export function createWebSocketServer({ messageBytesMax, chooseProtocol }: WebSocketLimits): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxFragments: 128,
    perMessageDeflate: false,
    // The connection answers pings itself: `ws` would cut off a client that pings more often than it reads.
    autoPong: false,
    maxPayload: messageBytesMax,
    handleProtocols: chooseProtocol,
  })
}
