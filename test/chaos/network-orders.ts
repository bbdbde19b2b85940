import type { LinkFault } from './link.ts'

/** What a network stands before: the address that all know, and where the broker itself listens. */
export interface Gate {
  readonly id: number
  readonly port: number
  readonly targetPort: number
}

/** What the network is told. Each order is answered by its number once it is carried out. */
export type NetworkOrder =
  | { readonly kind: 'open' | 'refuse'; readonly id: number }
  | {
      readonly kind: 'spoil' | 'mend'
      readonly from: number
      readonly to: number
      /** Names the fault: the one that is mended is the one that was there. */
      readonly name: number
      readonly fault: LinkFault
    }

export interface NumberedOrder {
  readonly number: number
  readonly order: NetworkOrder
}

export interface Answer {
  readonly number: number
  /** Why it could not be carried out. */
  readonly error?: string | undefined
}
