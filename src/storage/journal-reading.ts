import { ClassicLevel } from 'classic-level'
import { contradictsItself, READING } from './journal-trial.ts'

const KEYS_AT_ONCE = 1_000

/**
 * A process of its own, started by `JournalTrial`: it reads every key of the journal in the folder that it is given, and says
 * by how it ends what it found. Where LevelDB's assertions end a process, they end this one and not the broker.
 */
async function read(folder: string): Promise<number> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(folder, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    createIfMissing: false,
    compression: false,
  })
  try {
    await database.open()
  } catch {
    // It is in use, or LevelDB says what is wrong: the broker's own attempt will tell.
    return READING.UNDECIDED
  }
  try {
    return (await isInOrder(database)) ? READING.SOUND : READING.BROKEN
  } catch (error) {
    // A disk that fails for a while is no damage.
    return contradictsItself(error) ? READING.BROKEN : READING.UNDECIDED
  }
}

async function isInOrder(database: ClassicLevel<Uint8Array, Uint8Array>): Promise<boolean> {
  const keys = database.keys({ fillCache: false })
  let previous: Uint8Array | undefined
  for (;;) {
    const part = await keys.nextv(KEYS_AT_ONCE)
    if (part.length === 0) return true
    for (const key of part) {
      if (previous !== undefined && Buffer.compare(previous, key) >= 0) return false
      previous = key
    }
  }
}

// The journal's lock must not outlive the broker. Nothing less ends a process with a native call under way.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.exit(await read(process.argv[2] as string))
