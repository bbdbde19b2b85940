/**
 * Calls `check` again and again until it does not throw; after `timeoutMs` its last error is thrown.
 * Tests wait for a fact with it, never for a time.
 */
export async function eventually<T>(
  check: () => T | Promise<T>,
  options: { readonly timeoutMs?: number } = {},
): Promise<T> {
  const deadline = performance.now() + (options.timeoutMs ?? 5_000)
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() >= deadline) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
