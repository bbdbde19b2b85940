import { SynodError } from '../../../errors.ts'

const NEWLINE = 0x0a

/** One line of an endless body, without its line break. */
export interface SourceLine {
  /** From 1; blank lines count. */
  readonly number: number
  readonly source: Buffer
  /** What it took of the body, line break included. */
  readonly byteCount: number
}

/** Cuts a body into lines as it arrives. Holds one unfinished line, of at most `lineBytesMax`. */
export class LineSplitter {
  readonly #lineBytesMax: number
  #pieces: Buffer[] = []
  #heldBytes = 0
  #count = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Bytes of the line that has not ended yet. */
  get heldBytes(): number {
    return this.#heldBytes
  }

  /** The lines that end in this chunk. Error: 'record-too-large', after the lines before. */
  *push(chunk: Buffer): Generator<SourceLine> {
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, from)) {
      this.#hold(chunk.subarray(from, at))
      from = at + 1
      yield this.#take(1)
    }
    this.#hold(chunk.subarray(from))
  }

  /** The last line, if the body did not end with a line break. */
  end(): SourceLine | undefined {
    return this.#heldBytes === 0 ? undefined : this.#take(0)
  }

  #hold(piece: Buffer): void {
    if (piece.byteLength === 0) return
    this.#pieces.push(piece)
    this.#heldBytes += piece.byteLength
    if (this.#heldBytes <= this.#lineBytesMax) return
    const number = this.#count + 1
    throw new SynodError('record-too-large', `Line ${number} has more than ${this.#lineBytesMax} bytes.`, {
      hint: 'Split the record, or keep its value elsewhere and produce the address.',
      facts: { line: number },
    })
  }

  #take(breakBytes: number): SourceLine {
    const [first] = this.#pieces
    const source = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#heldBytes = 0
    this.#count++
    return { number: this.#count, source, byteCount: source.byteLength + breakBytes }
  }
}
