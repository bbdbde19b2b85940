import { join } from 'node:path'
import { outColors } from '../colors.ts'
import { countText } from '../output.ts'
import type { RunningProcess } from './supervisor.ts'

/** What a person reads when the cluster is ready: where it is and what to try, each line ready to be copied. */
export function welcomeText(running: readonly RunningProcess[], folder: string): string {
  const [first, second] = [running[0], running[1] ?? running[0]]
  if (first === undefined || second === undefined) return 'No broker runs.'
  const topic = `${first.url}/v1/topics/greetings`
  const socket = `${second.url.replace(/^http/, 'ws')}/v1/topics/greetings/subscribe`
  const brokers = running.map(
    ({ id, url, pid }) => `  broker ${id}  ${url}  pid ${pid}  log ${join(folder, `broker-${id}.log`)}`,
  )
  const kill =
    running.length < 3
      ? []
      : [
          '',
          'Kill a broker and watch the others go on:',
          outColors.cyan(`  kill -9 ${first.pid}`),
          `  curl ${second.url}/v1/cluster`,
        ]
  return [
    outColors.bold(`Synod is ready: ${countText(running.length, 'broker')}, data in ${folder}`),
    ...brokers,
    '',
    'Store a record:',
    outColors.cyan(`  curl -d hello ${topic}/records`),
    'Read it, then wait for more, at any broker:',
    outColors.cyan(`  curl -N '${second.url}/v1/topics/greetings/stream?from=earliest'`),
    outColors.cyan(`  npx wscat -c '${socket}?from=earliest'`),
    'In the console of a browser:',
    outColors.cyan(
      `  new WebSocket('${socket}?from=earliest').onmessage = (event) => console.log(event.data)`,
    ),
    ...kill,
    '',
    'Ctrl-C stops everything; the data stays.',
  ].join('\n')
}
