import type { Command } from 'commander'
import { call, callJson } from '../http.ts'
import { bytesText, table } from '../output.ts'
import type { Output } from '../output.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'
import { waitFor } from './operation.ts'
import type { OperationAnswer, WaitOptions } from './operation.ts'
import { wholeNumber } from '../whole-number.ts'

interface BrokerAnswer {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly membership: string
  readonly failureDomain: string
  readonly leaderCount: number
  readonly replicaCount: number
  readonly diskFreeBytes?: number
  readonly lag?: { readonly slots: number; readonly ms: number }
}

export function addCommand(program: Command, output: Output): void {
  const broker = program.command('broker').description('list, drain and remove brokers')

  withClientOptions(broker.command('list').description('list the brokers with what they hold')).action(
    (options: ClientOptions) => list(options, output),
  )
  withClientOptions(
    broker
      .command('drain')
      .description('move everything off a broker, which stays a member')
      .argument('<broker>', 'its id', wholeNumber)
      .option('--undo', 'let a drained broker hold replicas again')
      .option('--wait', 'wait until it holds nothing'),
  ).action((id: number, options: WaitOptions & { undo?: boolean }) => drain(id, options, output))
  withClientOptions(
    broker
      .command('remove')
      .description('move everything off a broker and remove it from the cluster')
      .argument('<broker>', 'its id', wholeNumber)
      .option('--force', 'it is gone for good: go on from the other copies')
      .option('--wait', 'wait until it is no member any more'),
  ).action((id: number, options: WaitOptions & { force?: boolean }) => remove(id, options, output))
}

async function list(options: ClientOptions, output: Output): Promise<void> {
  const { items } = await callJson<{ items: readonly BrokerAnswer[] }>(options.url, 'v1/brokers')
  if (options.json === true) return output.line(JSON.stringify(items))
  const rows = items.map((broker) => [
    broker.id,
    broker.url,
    broker.state,
    broker.membership,
    broker.failureDomain,
    String(broker.leaderCount),
    String(broker.replicaCount),
    broker.diskFreeBytes === undefined ? '' : bytesText(broker.diskFreeBytes),
    broker.lag === undefined ? '' : String(broker.lag.slots),
  ])
  const header = ['broker', 'url', 'state', 'membership', 'domain', 'leads', 'holds', 'free', 'behind']
  output.line(table(header, rows))
}

async function drain(id: number, options: WaitOptions & { undo?: boolean }, output: Output): Promise<void> {
  const path = `v1/brokers/${id}/drain`
  if (options.undo === true) {
    await call(options.url, path, { method: 'DELETE' })
    output.line(
      options.json === true
        ? JSON.stringify({ broker: String(id), membership: 'active' })
        : `Broker ${id} may hold replicas again.`,
    )
    return
  }
  await waitFor(await callJson<OperationAnswer>(options.url, path, { method: 'POST' }), options, output)
}

async function remove(id: number, options: WaitOptions & { force?: boolean }, output: Output): Promise<void> {
  const path = `v1/brokers/${id}${options.force === true ? '?force=true' : ''}`
  await waitFor(await callJson<OperationAnswer>(options.url, path, { method: 'DELETE' }), options, output)
}
