import type { BrokerId } from '../types/ids.ts'
import type { LinkView, PeerView } from '../paxos/link-view.ts'
import type { Configuration } from '../paxos/state.ts'

export interface MetadataReplica {
  readonly self: BrokerId
  /** Of the controller's group, as this broker knows it. */
  readonly configuration: Configuration
  readonly leader: BrokerId | undefined
  /** Whether this broker's own vote counts: others vouch for its store. */
  readonly isVoter: boolean
  readonly view: LinkView | undefined
}

/**
 * One sentence for an operator whose broker finds no controller: who of those that choose one is heard, and what is missing.
 * A broker that is heard and does not hear this one, or that runs on another store than the one with the vote, cannot help.
 */
export function whyNoController({ self, configuration, leader, isVoter, view }: MetadataReplica): string {
  const { voters } = configuration
  const majority = Math.floor(voters.length / 2) + 1
  const others = voters.filter(({ broker }) => broker !== self)
  const voiceless: string[] = []
  let linked = voters.length - others.length
  for (const { broker, store } of others) {
    const reason = whyVoiceless(self, store, view?.peers.get(broker))
    if (reason === undefined) linked++
    else voiceless.push(`${broker} ${reason}`)
  }
  const known = `Of the brokers that choose one (${voters.map(({ broker }) => broker).join(', ')})`
  const missing = voiceless.length === 0 ? 'all are heard' : voiceless.join(', ')
  const lacks = linked < majority ? `; a majority is ${majority}` : ''
  return `The broker has not reached a controller yet. ${known}: ${missing}${lacks}. ${present()}`

  function present(): string {
    if (leader === self) return 'This broker was chosen last, and is not confirmed.'
    if (leader !== undefined) return `Broker ${leader} was chosen last and has not answered.`
    const votes = others.length === voters.length || isVoter
    return votes ? 'None is chosen.' : 'None is chosen, and too few have vouched for the disk of this one.'
  }
}

function whyVoiceless(self: BrokerId, votingStore: string, peer: PeerView | undefined): string | undefined {
  if (peer === undefined || !peer.alive) return 'is not heard'
  if (peer.store?.isOutsider === true) return 'has a disk that forgot'
  if (peer.store !== undefined && peer.store.storeId !== votingStore) return 'has another store'
  if (!peer.links.has(self)) return 'does not hear this one in time'
  return undefined
}
