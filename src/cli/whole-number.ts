import { InvalidArgumentError } from 'commander'

/** For options that count things. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not a whole number.`)
  return Number(text)
}
