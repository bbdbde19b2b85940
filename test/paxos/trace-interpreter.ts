import { formatBallot } from '../../src/paxos/ballot.ts'
import { brokerId } from '../../src/types/ids.ts'
import { effectInWords, messageInWords } from './trace-words.ts'
import { VirtualCluster, type Letter } from './virtual-cluster.ts'

/** The numbers of an option such as `drop=(1,2)`; none when the word is something else. */
function listOf(name: string, word = ''): readonly number[] {
  const [key, list = ''] = word.split('=')
  return key === name ? list.replace(/[()]/g, '').split(',').map(Number) : []
}

/** MaxLag of the traces, small enough to be passed by a few proposals. */
const MAX_LAG_SLOTS = 4

/**
 * Runs the commands of a trace file and writes beneath each what came of it. Time passes only by `tick` and `wake`, a disk
 * syncs only by `sync` and `stabilize`, a message arrives only by `deliver` and `stabilize`.
 *
 *   cluster 3               three voters, all disks empty
 *   cluster 3 2             two replicas more, made to learn
 *   learn 4 5               everybody is told that these learn; learn alone: nobody
 *   reconfigure 1 1 2 4     replica 1 is to bring about a configuration of 1, 2 and 4
 *   links all | 1-2 2-3     who hears whom, as the detectors say; what is not linked does not arrive
 *   links 2-3 unaware=(1)   the detector of 1 has not noticed yet
 *   wake 1                  replica 1 gets the tick it waits for
 *   tick 600                600 ms pass, each replica gets its ticks
 *   propose 1 a b           two values in one event
 *   sync 1                  what 1 wrote becomes durable
 *   deliver 2 drop=(3)      all messages for 2 arrive, those of 3 are lost
 *   transfer 1 3            replica 1 is to hand its leadership to 3
 *   delay 3                 what is on its way to 3 is held back until `arrive`
 *   stabilize               syncs and deliveries until nothing moves
 *   crash 3, start 3        what was not durable is lost
 *   status                  each replica in one line
 */
export class TraceInterpreter {
  #cluster: VirtualCluster | undefined
  #lines: string[] = []
  #delayed: Letter[] = []
  #isLinked: (a: number, b: number) => boolean = () => true

  /** The lines beneath one command. */
  run(command: string): readonly string[] {
    this.#lines = []
    const [name = '', ...words] = command.split(/\s+/)
    this.#execute(name, words)
    return this.#lines
  }

  get #now(): VirtualCluster {
    if (this.#cluster === undefined) throw new Error('A trace begins with cluster.')
    return this.#cluster
  }

  #execute(name: string, words: readonly string[]): void {
    const id = Number(words[0])
    switch (name) {
      case 'cluster':
        return this.#found(id, Number(words[1] ?? 0))
      case 'learn':
        return this.#now.learn(...words.map(Number))
      case 'reconfigure':
        this.#now.reconfigure(id, ...words.slice(1).map(Number))
        return
      case 'links':
        return this.#link(words)
      case 'wake':
        return this.#wake(id)
      case 'tick':
        return this.#now.pass(id)
      case 'propose':
        this.#now.propose(id, ...words.slice(1))
        return
      case 'transfer':
        this.#now.step(id, { kind: 'transfer', token: 0, to: brokerId(Number(words[1])) })
        return
      case 'delay':
        this.#delayed.push(...this.#now.wire.filter((letter) => letter.to === id))
        this.#now.wire = this.#now.wire.filter((letter) => letter.to !== id)
        return
      case 'arrive':
        for (const letter of this.#delayed.splice(0)) {
          this.#now.wire.push(letter)
          this.#hand(letter, false)
        }
        return
      case 'sync':
        this.#now.makeDurable(id)
        return
      case 'deliver':
        return this.#deliverTo(id, words[1] ?? '')
      case 'stabilize':
        return this.#stabilize()
      case 'crash':
        return this.#now.crash(id)
      case 'start':
        return this.#now.start(id)
      case 'status':
        return this.#status()
      default:
        throw new Error(`There is no command ${name}.`)
    }
  }

  #found(size: number, spares: number): void {
    const tuning = { maxLagSlots: MAX_LAG_SLOTS }
    this.#cluster = new VirtualCluster({
      size,
      spares,
      tuning,
      onEffect: ({ id }, effect) => {
        const words = effectInWords(effect)
        if (words !== undefined) this.#lines.push(`  ${id} ${words}`)
      },
    })
  }

  #link(words: readonly string[]): void {
    const links = new Set(words.flatMap((word) => [word, word.split('-').reverse().join('-')]))
    this.#isLinked = words[0] === 'all' ? () => true : (a, b) => links.has(`${a}-${b}`)
    this.#now.link(this.#isLinked, listOf('unaware', words.at(-1)))
  }

  #wake(id: number): void {
    const cluster = this.#now
    const at = cluster.paxos(id).deadlineMs
    if (at === undefined) throw new Error(`Replica ${id} waits for nothing.`)
    cluster.nowMs = Math.max(cluster.nowMs, at)
    cluster.step(id, { kind: 'tick' })
  }

  #hand(letter: Letter, isLost: boolean): void {
    const cluster = this.#now
    const isCut = !this.#isLinked(letter.from, letter.to) || cluster.replica(letter.to).paxos === undefined
    const mark = isLost || isCut ? ' (lost)' : ''
    this.#lines.push(`${letter.from} -> ${letter.to}  ${messageInWords(letter.message)}${mark}`)
    if (mark === '') cluster.deliver(letter)
    else cluster.wire.splice(cluster.wire.indexOf(letter), 1)
  }

  #deliverTo(id: number, option: string): void {
    const lost = listOf('drop', option)
    for (const letter of this.#now.wire.slice()) {
      if (letter.to === id) this.#hand(letter, lost.includes(letter.from))
    }
  }

  #stabilize(): void {
    const cluster = this.#now
    for (let hasMoved = true; hasMoved;) {
      hasMoved = false
      for (const { id } of cluster.replicas) if (cluster.makeDurable(id)) hasMoved = true
      for (const letter of cluster.wire.slice()) {
        this.#hand(letter, false)
        hasMoved = true
      }
    }
  }

  #status(): void {
    for (const { id, paxos, applied } of this.#now.replicas) {
      if (paxos === undefined) {
        this.#lines.push(`${id} down`)
        continue
      }
      const { role, status, promised, acceptedBallot, commit, through, configuration } = paxos
      const inForce = configuration.number === 1 ? '' : ` configuration=${configuration.number}`
      const ballots = `promised=${formatBallot(promised)} accepted=${formatBallot(acceptedBallot)}`
      const leader = paxos.leader === undefined ? 'none' : `${paxos.leader}`
      this.#lines.push(
        `${id} ${role} ${status} leader=${leader} ${ballots} commit=${commit} through=${through}${inForce} chosen=[${applied.join(' ')}]`,
      )
    }
  }
}
