import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson } from '../http.ts'
import type { Output } from '../output.ts'
import { wholeNumber } from '../whole-number.ts'
import { withClientOptions } from './client-options.ts'
import { waitFor } from './operation.ts'
import type { OperationAnswer, WaitOptions } from './operation.ts'
import { topicPath } from './topic-answer.ts'

interface MoveOptions extends WaitOptions {
  readonly leader?: number
  readonly replicas?: readonly string[]
}

const JSON_TYPE = { 'content-type': 'application/json' }

export function addCommand(program: Command, output: Output): void {
  const partition = program
    .command('partition')
    .description('let other brokers hold a partition, or another one lead it')

  withClientOptions(
    partition
      .command('move')
      .description('move a partition to other brokers, or its leadership to another replica')
      .argument('<topic>')
      .argument('<partition>', 'its number', wholeNumber),
  )
    .option('--leader <broker>', 'the broker that is to lead', wholeNumber)
    .option(
      '--replicas <brokers>',
      'the brokers that are to hold it, the preferred leader first: 1,2,4',
      brokers,
    )
    .option('--wait', 'with --replicas: wait until they hold it')
    .action((topic: string, number: number, options: MoveOptions) => {
      const isOne = (options.leader === undefined) !== (options.replicas === undefined)
      if (!isOne) throw new CommandError(EXIT.usage, 'Name either --leader or --replicas.')
      return options.replicas === undefined
        ? moveLeader(topic, number, options, output)
        : moveReplicas(topic, number, options, output)
    })
}

function brokers(text: string): readonly string[] {
  const ids = text.split(',').map((id) => id.trim())
  if (ids.every((id) => /^\d{1,5}$/.test(id))) return ids
  throw new InvalidArgumentError('They are ids of brokers with commas between: 1,2,4')
}

async function moveLeader(
  topic: string,
  partition: number,
  options: MoveOptions,
  output: Output,
): Promise<void> {
  const answer = await callJson<{ broker: string }>(
    options.url,
    `${topicPath(topic)}/partitions/${partition}/leader`,
    {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ broker: String(options.leader) }),
    },
  )
  output.line(
    options.json === true
      ? JSON.stringify({ topic, partition, leader: answer.broker })
      : `Broker ${answer.broker} is about to lead partition ${partition} of ${topic}.`,
  )
}

async function moveReplicas(
  topic: string,
  partition: number,
  options: MoveOptions,
  output: Output,
): Promise<void> {
  const operation = await callJson<OperationAnswer>(
    options.url,
    `${topicPath(topic)}/partitions/${partition}/replicas`,
    { method: 'PUT', headers: JSON_TYPE, body: JSON.stringify({ brokers: options.replicas }) },
  )
  await waitFor(operation, options, output)
}
