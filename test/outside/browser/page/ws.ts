/** Stands for the package `ws`: a browser has a WebSocket of its own. */
export const { WebSocket } = globalThis as unknown as { readonly WebSocket: unknown }
