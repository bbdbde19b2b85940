import type { TopicId } from '../../src/types/ids.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { Judge } from '../sim/judge.ts'

/** When a request was sent, and when its answer came; Infinity while nobody knows whether it is carried out. */
interface Span {
  readonly startMs: number
  readonly endMs: number
}

interface Deletion extends Span {
  readonly by: Answerer | undefined
}

interface KnownTopic {
  readonly id: TopicId
  readonly name: string
  /** It was there by then, for certain. */
  knownMs: number
  /** Nobody can have deleted it before. */
  createStartMs: number
  revision: number
}

/** Who answered: a broker's process remembers its own answers, another one may be a little behind. */
export interface Answerer {
  readonly broker: number
  readonly life: number
}

/**
 * What may be known of topics, from the answers alone: a topic that was created is found everywhere until somebody may have
 * deleted it; one that was deleted is not found any more where the deletion was answered, and in the end nowhere.
 */
export class TopicTruth {
  readonly #judge: Judge
  readonly #topics = new Map<TopicId, KnownTopic>()
  readonly #deletions = new Map<string, Deletion[]>()
  /** Creations that may have made a topic, by name. */
  readonly #creationCounts = new Map<string, number>()
  /** Alterations that may have changed a topic, by name. */
  readonly #alterationCounts = new Map<string, number>()
  readonly #createdIds = new Set<TopicId>()

  constructor(judge: Judge) {
    this.#judge = judge
  }

  /** A creation was answered with a topic, which it made or found. */
  created(topic: Topic, isNew: boolean, { startMs, endMs }: Span): void {
    const { id, name } = topic
    if (isNew) {
      this.#judge.demand(!this.#createdIds.has(id), 'metadata', () => `topic ${id} was created twice`)
      this.#createdIds.add(id)
      this.#mayHaveCreated(name)
    }
    this.#note(topic, endMs, isNew ? startMs : 0)
  }

  /** Nobody knows whether it was created. */
  perhapsCreated(name: string): void {
    this.#mayHaveCreated(name)
  }

  /** Each alteration makes one revision at most. */
  perhapsAltered(name: string): void {
    this.#alterationCounts.set(name, (this.#alterationCounts.get(name) ?? 0) + 1)
  }

  /** Returns how to tell what became of it: deleted, or certainly not; while nobody tells, nobody knows. */
  beginsToDelete(
    name: string,
    startMs: number,
  ): (done: { readonly endMs: number; readonly by: Answerer } | undefined) => void {
    const deletions = this.#deletionsOf(name)
    const deletion: Deletion = { startMs, endMs: Infinity, by: undefined }
    deletions.push(deletion)
    return (done) => {
      if (done === undefined) deletions.splice(deletions.indexOf(deletion), 1)
      else Object.assign(deletion, done)
    }
  }

  /** `by`: undefined for a linearizable answer, and when all has healed: nothing older may be told then. */
  found(name: string, topic: Topic | undefined, { startMs, endMs }: Span, by: Answerer | undefined): void {
    if (topic === undefined) return this.#foundNothing(name, startMs, endMs)
    const known = this.#topics.get(topic.id)
    const gone = this.#deletionsOf(name).find(
      (deletion) =>
        known !== undefined &&
        known.knownMs < deletion.startMs &&
        deletion.endMs < startMs &&
        (by === undefined || (by.broker === deletion.by?.broker && by.life === deletion.by.life)),
    )
    this.#judge.demand(
      gone === undefined,
      'metadata',
      () => `topic ${topic.id} '${name}' was found at ${startMs} though it was deleted by ${gone?.endMs}`,
    )
    this.#note(topic, endMs, 0)
  }

  /** Whether nobody can have deleted it. */
  isKept(id: TopicId): boolean {
    const known = this.#topics.get(id)
    return known !== undefined && !this.#mayBeDeleted(known, Infinity)
  }

  mayBeDeleted(name: string): boolean {
    return this.#deletionsOf(name).length > 0
  }

  /** No more topics of a name than somebody may have created, and no more revisions of them than somebody may have made. */
  finish(): void {
    const counts = new Map<string, number>()
    const revisionCounts = new Map<string, number>()
    for (const { name, revision } of this.#topics.values()) {
      counts.set(name, (counts.get(name) ?? 0) + 1)
      revisionCounts.set(name, (revisionCounts.get(name) ?? 0) + revision - 1)
    }
    for (const [name, count] of revisionCounts) {
      const alterationCount = this.#alterationCounts.get(name) ?? 0
      this.#judge.demand(
        count <= alterationCount,
        'refusal',
        () => `'${name}' has ${count} revisions, of ${alterationCount} alterations that were not refused`,
      )
    }
    for (const [name, count] of counts) {
      const creationCount = this.#creationCounts.get(name) ?? 0
      this.#judge.demand(
        count <= creationCount,
        'refusal',
        () => `${count} topics '${name}' were seen, of ${creationCount} creations that were not refused`,
      )
    }
  }

  #foundNothing(name: string, startMs: number, endMs: number): void {
    for (const known of this.#topics.values())
      this.#judge.demand(
        known.name !== name || known.knownMs >= startMs || this.#mayBeDeleted(known, endMs),
        'metadata',
        () =>
          `topic ${known.id} '${name}' was not found at ${startMs} though it was there at ${known.knownMs}`,
      )
  }

  #mayBeDeleted({ name, createStartMs }: KnownTopic, byMs: number): boolean {
    return this.#deletionsOf(name).some(({ startMs, endMs }) => startMs <= byMs && endMs >= createStartMs)
  }

  #note({ id, name, revision }: Topic, knownMs: number, createStartMs: number): void {
    const known = this.#topics.get(id)
    if (known === undefined) this.#topics.set(id, { id, name, knownMs, createStartMs, revision })
    else {
      known.knownMs = Math.min(known.knownMs, knownMs)
      known.revision = Math.max(known.revision, revision)
      known.createStartMs = Math.max(known.createStartMs, createStartMs)
    }
  }

  #mayHaveCreated(name: string): void {
    this.#creationCounts.set(name, (this.#creationCounts.get(name) ?? 0) + 1)
  }

  #deletionsOf(name: string): Deletion[] {
    let deletions = this.#deletions.get(name)
    if (deletions === undefined) this.#deletions.set(name, (deletions = []))
    return deletions
  }
}
