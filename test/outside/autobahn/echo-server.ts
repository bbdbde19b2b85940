import { createServer } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

import { DEFAULT_GATEWAY_OPTIONS } from '../../../src/gateway/options.ts'
import { WebSocketConnection } from '../../../src/gateway/ws/connection.ts'
import { checkHandshake } from '../../../src/gateway/ws/handshake.ts'
import { createWebSocketServer } from '../../../src/gateway/ws/web-socket-server.ts'

export interface EchoServer {
  readonly url: string
  close(): void
}

/** Sends back each message as it came, with the handshake, protocol, limits and connection of a broker's WebSockets. */
export async function startEchoServer(): Promise<EchoServer> {
  const webSockets = createWebSocketServer({
    messageBytesMax: DEFAULT_GATEWAY_OPTIONS.sessionFrameBytesMax,
    chooseProtocol: () => false,
  })
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, duplex, head) => {
    const socket = duplex as Socket
    checkHandshake(request)
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new WebSocketConnection(webSocket, socket, performance.now())
      connection.onMessage((data, isBinary) => webSocket.send(data, { binary: isBinary }))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}
