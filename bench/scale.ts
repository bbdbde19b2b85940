import { ByteReader } from '../src/transport/byte-reader.ts'
import { decodeHeartbeat } from '../src/transport/heartbeat-codec.ts'
import { departureFigures, takeoverFigures } from './scale-failures.ts'
import { encodedHeartbeat, heartbeatFigures, placementFigures } from './scale-figures.ts'

/** Prints the tables of docs/scale.md. The counts are the same in every run; the CPU figures are of this machine. */

const ROUNDS = 2_000

function cpuMs(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

/** The first call warms up the machine's compiler, and is not counted. */
function codecRounds(brokers: number): void {
  for (let round = 0; round < ROUNDS; round++) decodeHeartbeat(new ByteReader(encodedHeartbeat(brokers)))
}

function print(...cells: (string | number)[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`)
}

print('brokers', 'domains', 'partitions', 'replicas', 'leaders', 'heirs', 'inherited', 'CPU ms')
for (const [brokers, domains, partitions] of [
  [3, 3, 200],
  [30, 30, 2_000],
  [300, 300, 20_000],
  [300, 30, 20_000],
] as const) {
  let figures = placementFigures(3, 3, 3)
  const ms = cpuMs(() => (figures = placementFigures(brokers, domains, partitions)))
  const { replicasMin, replicasMax, leadersMin, leadersMax, heirsMin, inheritedMax } = figures
  const replicas = `${replicasMin}–${replicasMax}`
  print(
    brokers,
    domains,
    partitions,
    replicas,
    `${leadersMin}–${leadersMax}`,
    heirsMin,
    inheritedMax,
    ms.toFixed(0),
  )
}

print(
  'brokers',
  'bytes each',
  'messages/s in the cluster',
  'bytes/s out of a broker',
  'CPU µs to encode and decode',
)
for (const brokers of [3, 30, 300]) {
  const { payloadBytes, clusterMessagesPerSecond, brokerBytesPerSecond } = heartbeatFigures(brokers)
  codecRounds(brokers)
  const ms = cpuMs(() => codecRounds(brokers))
  print(
    brokers,
    payloadBytes,
    clusterMessagesPerSecond,
    brokerBytesPerSecond,
    ((ms * 1_000) / ROUNDS).toFixed(1),
  )
}

print('entries that the new leader or its follower lacks', 'messages', 'bytes', 'persists')
for (const lacked of [0, 10]) {
  const { messageCount, bytes, persistCount } = takeoverFigures(lacked)
  print(lacked, messageCount, bytes, persistCount)
}

print('brokers', 'domains', 'partitions', 'moves', 'takers', 'most', 'replicas afterwards', 'commands')
for (const [brokers, domains, partitions] of [
  [30, 30, 2_000],
  [300, 300, 20_000],
  [300, 30, 20_000],
] as const) {
  const figures = departureFigures(brokers, domains, partitions)
  const { moveCount, takerCount, takenMax, replicasMin, replicasMax, commandCount } = figures
  print(
    brokers,
    domains,
    partitions,
    moveCount,
    takerCount,
    takenMax,
    `${replicasMin}–${replicasMax}`,
    commandCount,
  )
}
