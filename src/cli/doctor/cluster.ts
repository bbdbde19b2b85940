import type { Finding } from './finding.ts'
import { ok, problem, warning } from './finding.ts'

/** A broker as the one that was asked tells of it, and as it answers itself. */
export interface BrokerView {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly reason?: string
  readonly version?: string
  readonly diskFreeBytes?: number
  readonly own: OwnAnswer
}

/** What a broker says of itself when it is asked directly. */
export interface OwnAnswer {
  readonly hasAnswered: boolean
  readonly isReady: boolean
  readonly reason: string | undefined
  /** Its clock minus the one of this machine, to a second or so; undefined when it did not tell. */
  readonly clockAheadMs: number | undefined
}

export interface ClusterView {
  readonly id: string
  readonly controller: string | undefined
  readonly brokers: readonly BrokerView[]
}

export interface PartitionView {
  readonly topic: string
  readonly partition: number
  readonly leader?: string | null
  readonly replicas: readonly string[]
  readonly inSync?: readonly string[] | null
}

/** The `Date` of an answer has whole seconds, and the way takes its time. */
const CLOCK_APART_MS_MAX = 2_000
const EXAMPLES_MAX = 3
/** With fewer nobody may fail. */
const BROKERS_WANTED = 3

export function judgeCluster(cluster: ClusterView): readonly Finding[] {
  const { controller, brokers, id } = cluster
  const findings: Finding[] = []
  if (controller === undefined)
    findings.push(
      problem(
        'cluster',
        `Nobody controls cluster ${id}: no majority of its brokers hear each other.`,
        'Start the brokers that are missing.',
      ),
    )
  else findings.push(ok('cluster', `Broker ${controller} controls cluster ${id} of ${brokers.length}.`))
  for (const broker of brokers) findings.push(...judgeBroker(broker))
  const versions = [...new Set(brokers.map(({ version }) => version ?? 'unknown'))]
  if (versions.length > 1)
    findings.push(
      warning(
        'cluster',
        `Brokers run different versions: ${versions.join(', ')}.`,
        'Finish the upgrade, one broker after the other.',
      ),
    )
  if (brokers.length < BROKERS_WANTED)
    findings.push(
      warning(
        'cluster',
        `With ${brokers.length === 1 ? 'one broker' : 'two brokers'} none may fail.`,
        'Add brokers until there are three, on machines of their own.',
      ),
    )
  return findings
}

function judgeBroker({ id, url, state, reason, own }: BrokerView): readonly Finding[] {
  if (state === 'dead')
    return [
      problem(
        'cluster',
        `Broker ${id} at ${url} is silent.`,
        `Start it, or remove it if it is gone for good: synod broker remove ${id} --force`,
      ),
    ]
  const findings: Finding[] = []
  if (state === 'outsider')
    findings.push(
      problem(
        'cluster',
        `Broker ${id} takes part in no vote: ${reason ?? 'its disk forgot something'}.`,
        'Leave it running: it learns again and is given its votes back (docs/lost-disks.md).',
      ),
    )
  if (!own.hasAnswered)
    findings.push(
      problem(
        'cluster',
        `Broker ${id} does not answer at ${url}, though the others hear it.`,
        'Check its publicUrl, and that clients can reach its public port.',
      ),
    )
  else if (!own.isReady)
    findings.push(
      warning(
        'cluster',
        `Broker ${id} is not ready: ${own.reason ?? 'it does not say why'}.`,
        'Wait, and look at its log if it stays so.',
      ),
    )
  const apartMs = Math.abs(own.clockAheadMs ?? 0)
  if (apartMs > CLOCK_APART_MS_MAX)
    findings.push(
      warning(
        'clock',
        `The clock of broker ${id} is ${(apartMs / 1_000).toFixed(0)} s apart from the one of this machine.`,
        'Let both keep time with NTP: timestamps and retention go by them.',
      ),
    )
  return findings.length > 0 ? findings : [ok('cluster', `Broker ${id} at ${url} is ${state} and ready.`)]
}

/** Which partitions cannot be written, and which could lose less than they should. */
export function judgePartitions(partitions: readonly PartitionView[]): readonly Finding[] {
  if (partitions.length === 0) return [ok('topics', 'There are no topics yet.')]
  const findings: Finding[] = []
  const isLed = ({ leader }: PartitionView): boolean => leader !== undefined && leader !== null
  const leaderless = partitions.filter((each) => !isLed(each))
  const behind = partitions.filter(
    (each) => isLed(each) && (each.inSync?.length ?? each.replicas.length) < each.replicas.length,
  )
  if (leaderless.length > 0)
    findings.push(
      problem(
        'topics',
        `${leaderless.length} of ${partitions.length} partitions have no leader: ${examples(leaderless)}.`,
        'Start the brokers that hold their replicas: synod topic show says which.',
      ),
    )
  if (behind.length > 0)
    findings.push(
      warning(
        'topics',
        `${behind.length} of ${partitions.length} partitions have replicas that are not in sync: ${examples(behind)}.`,
        'Wait until they caught up, and start brokers that are missing.',
      ),
    )
  return findings.length > 0
    ? findings
    : [ok('topics', `All ${partitions.length} partitions are led and in sync.`)]
}

function examples(partitions: readonly PartitionView[]): string {
  const named = partitions.slice(0, EXAMPLES_MAX).map(({ topic, partition }) => `${topic}/${partition}`)
  return partitions.length > EXAMPLES_MAX ? `${named.join(', ')}, …` : named.join(', ')
}
