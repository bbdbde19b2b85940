import { formatBallot } from '../../src/paxos/ballot.ts'
import type { Effect } from '../../src/paxos/effects.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { Entry } from '../../src/paxos/state.ts'
import { textOf } from './virtual-cluster.ts'

/** `5:a@1.1.1`: slot, body, the ballot that first proposed it. */
function entriesInWords(entries: readonly Entry[]): string {
  if (entries.length === 0) return 'nothing'
  return entries.map((entry) => `${entry.slot}:${textOf(entry)}@${formatBallot(entry.origin)}`).join(' ')
}

/** One message as a line of a trace shows it. */
export function messageInWords(message: Message): string {
  switch (message.kind) {
    case 'canvass':
      return `canvass attempt=${message.attempt} accepted=${formatBallot(message.accepted)} through=${message.through} commit=${message.commit}`
    case 'endorse':
    case 'refuse':
      return `${message.kind} attempt=${message.attempt} commit=${message.commit}`
    case 'prepare':
      return `prepare ${formatBallot(message.ballot)} accepted=${formatBallot(message.accepted)} through=${message.through} commit=${message.commit}`
    case 'promise': {
      const log = `accepted=${formatBallot(message.accepted)} through=${message.through} commit=${message.commit}`
      const suffix = message.suffix.length === 0 ? '' : ` suffix=[${entriesInWords(message.suffix)}]`
      const limits = `${message.nonVoting ? ' non-voting' : ''}${message.tooFar ? ' too-far' : ''}`
      return `promise ${formatBallot(message.ballot)} ${log}${suffix}${limits}`
    }
    case 'acceptSync':
      return `acceptSync ${formatBallot(message.ballot)} base=${message.base} [${entriesInWords(message.entries)}] commit=${message.commit}`
    case 'accept':
      return `accept ${formatBallot(message.ballot)} previous=${message.previous} [${entriesInWords(message.entries)}] commit=${message.commit}`
    case 'accepted':
      return `accepted ${formatBallot(message.ballot)} through=${message.through}`
    case 'nack':
      return `nack promised=${formatBallot(message.promised)}`
    case 'learn':
    case 'syncRequired':
      return `${message.kind} ${formatBallot(message.ballot)} commit=${message.commit}`
    case 'syncRequest':
      return `syncRequest from=${message.fromSlot}`
    case 'syncChunk':
      return `syncChunk from=${message.fromSlot} [${entriesInWords(message.entries)}] commit=${message.commit}`
    case 'transferNow':
      return `transferNow ${formatBallot(message.ballot)} last=${message.lastSlot}`
    case 'prepareRequest':
    case 'resign':
      return `${message.kind} ${formatBallot(message.ballot)}`
    default:
      return message.kind
  }
}

/** An effect as a line of a trace shows it; messages show when they arrive, applied entries by their texts. */
export function effectInWords(effect: Effect): string | undefined {
  switch (effect.kind) {
    case 'persist':
      return `writes ${effect.writes
        .map((write) => {
          if (write.kind === 'entry') return entriesInWords([write.entry])
          if (write.kind === 'rows') return `part ${write.part} of the checkpoint at ${write.slot}`
          return `{promised=${formatBallot(write.state.promised)} accepted=${formatBallot(write.state.acceptedBallot)} through=${write.state.through}}`
        })
        .join(' ')}`
    case 'apply':
      return `learns that ${entriesInWords(effect.entries)} is chosen`
    case 'refused':
      return `refuses a proposal: ${effect.reason}`
    case 'transferStarted':
      return 'admits nothing any more'
    case 'transferRefused':
      return `does not hand over: ${effect.reason}`
    case 'reconfigured':
      return `has changed the voters: configuration ${effect.number}`
    case 'reconfigureRefused':
      return `does not change the voters: ${effect.reason}`
    case 'configured': {
      const { number, voters } = effect.configuration
      return `takes up configuration ${number}: ${voters.map((voter) => voter.broker).join(' ')}`
    }
    case 'appended':
      return `puts a proposal at slot ${effect.slot}`
    case 'role': {
      if (effect.role === 'leader') return `leads at ${formatBallot(effect.ballot)}`
      if (effect.role === 'retired') return 'votes and learns no more'
      if (effect.role === 'candidate') return `is a candidate with ${formatBallot(effect.ballot)}`
      return effect.leader === undefined
        ? 'knows no leader'
        : `follows ${effect.leader} at ${formatBallot(effect.ballot)}`
    }
    default:
      return undefined
  }
}
