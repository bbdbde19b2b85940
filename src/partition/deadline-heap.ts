/** Deadlines of few active things among many: a binary heap with lazy deletion. All operations O(log n) or better. */
export class DeadlineHeap<T> {
  readonly #current = new Map<T, number>()
  readonly #heap: { readonly item: T; readonly atMs: number }[] = []

  /** The earliest deadline, undefined when there is none. */
  get firstMs(): number | undefined {
    this.#dropStale()
    return this.#heap[0]?.atMs
  }

  get size(): number {
    return this.#current.size
  }

  get(item: T): number | undefined {
    return this.#current.get(item)
  }

  set(item: T, atMs: number): void {
    if (this.#current.get(item) === atMs) return
    this.#current.set(item, atMs)
    this.#push({ item, atMs })
    if (this.#heap.length > 64 && this.#heap.length > 4 * this.#current.size) this.#rebuild()
  }

  delete(item: T): void {
    this.#current.delete(item)
  }

  /** Removes and returns everything due at `nowMs`, earliest first. */
  takeDue(nowMs: number): readonly T[] {
    const due: T[] = []
    for (;;) {
      const first = this.firstMs
      if (first === undefined || first > nowMs) return due
      const item = this.#pop()
      this.#current.delete(item)
      due.push(item)
    }
  }

  #dropStale(): void {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || this.#current.get(first.item) === first.atMs) return
      this.#pop()
    }
  }

  #rebuild(): void {
    this.#heap.length = 0
    for (const [item, atMs] of this.#current) this.#push({ item, atMs })
  }

  #push(node: { item: T; atMs: number }): void {
    const heap = this.#heap
    let index = heap.push(node) - 1
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = heap[parent]!
      if (above.atMs <= node.atMs) break
      heap[index] = above
      heap[parent] = node
      index = parent
    }
  }

  #pop(): T {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top.item
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      const right = heap[child + 1]
      if (right !== undefined && right.atMs < heap[child]!.atMs) child++
      if (heap[child]!.atMs >= last.atMs) break
      heap[index] = heap[child]!
      index = child
    }
    heap[index] = last
    return top.item
  }
}
