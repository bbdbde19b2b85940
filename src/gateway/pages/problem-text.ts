/** What the page of a code says beyond the table of problems. */
export interface ProblemText {
  /** What happened, for who never saw the code before. */
  readonly happened: string
  readonly todo: string
  readonly example: ProblemExample
}

/** A request that is answered so, and what its problem says. */
export interface ProblemExample {
  readonly request: string
  readonly instance: string
  readonly detail: string
  readonly facts?: Readonly<Record<string, unknown>>
}
