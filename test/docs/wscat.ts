import { WebSocket } from 'ws'

/**
 * What documents use of wscat, `wscat -c URL`, for tests: `npx` would have to fetch the real one. Prints what that one prints.
 */
const [flag, url] = process.argv.slice(2)
if (flag !== '-c' || url === undefined) throw new Error('Only `wscat -c URL` is known here.')
const socket = new WebSocket(url)
socket.on('open', () => console.log('Connected (press CTRL+C to quit)'))
socket.on('message', (data: Buffer) => console.log(`< ${data.toString()}`))
