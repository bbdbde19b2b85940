import { formatBallot } from '../../src/paxos/ballot.ts'
import type { Message } from '../../src/paxos/messages.ts'

/** One line for a person who reads a trace. */
export function describeMessage(message: Message): string {
  const words: string[] = [message.kind]
  for (const [name, value] of Object.entries(message)) {
    if (name === 'kind') continue
    if (Array.isArray(value))
      words.push(`${name}=[${value.map((entry: { slot: number }) => entry.slot).join(' ')}]`)
    else if (typeof value === 'object' && value !== null && 'round' in value)
      words.push(`${name}=${formatBallot(value as never)}`)
    else if (typeof value === 'object') words.push(`${name}=${JSON.stringify(value)}`)
    else if (value !== false) words.push(`${name}=${value}`)
  }
  return words.join(' ')
}

/** A number that tells messages apart well enough for the hash of a run. */
export function digestMessage(message: Message): number {
  let digest = message.kind.length * 31 + message.kind.charCodeAt(2)
  if ('ballot' in message) digest = digest * 31 + message.ballot.round * 8 + message.ballot.broker
  if ('commit' in message) digest = digest * 31 + message.commit
  if ('through' in message) digest = digest * 31 + message.through
  if ('entries' in message) digest = digest * 31 + message.entries.length
  return digest >>> 0
}
