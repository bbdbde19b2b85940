import type { Command } from 'commander'
import { callJson } from '../http.ts'
import type { Output } from '../output.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { topicPath, wholeNumber } from './topic.ts'

export function addCommand(program: Command, output: Output): void {
  const partition = program.command('partition').description('let another broker lead a partition')

  withClientOptions(
    partition
      .command('move')
      .description('hand the leadership of a partition to another of its replicas')
      .argument('<topic>')
      .argument('<partition>', 'its number', wholeNumber),
  )
    .requiredOption('--leader <broker>', 'the broker that is to lead', wholeNumber)
    .action((topic: string, number: number, options: ClientOptions & { leader: number }) =>
      move(topic, number, options, output),
    )
}

async function move(
  topic: string,
  partition: number,
  options: ClientOptions & { leader: number },
  output: Output,
): Promise<void> {
  const answer = await callJson<{ broker: string }>(
    options.url,
    `${topicPath(topic)}/partitions/${partition}/leader`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ broker: String(options.leader) }),
    },
  )
  output.line(
    options.json === true
      ? JSON.stringify({ topic, partition, leader: answer.broker })
      : `Broker ${answer.broker} is about to lead partition ${partition} of ${topic}.`,
  )
}
