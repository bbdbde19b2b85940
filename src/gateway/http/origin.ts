import { isIP } from 'node:net'

const LOOPBACK_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

export interface OriginRules {
  /** Origins as `https://host[:port]`; the word `loopback` stands for every local one. */
  readonly allowed: readonly string[]
  /** Where clients reach this broker, if known. */
  readonly publicUrl: string | undefined
}

/**
 * Whether a page of this origin may call: it is listed, or it came from this very server. A name that merely points
 * here does not make an origin its own (DNS rebinding): only an address, localhost or the public URL's host does.
 */
export function isOriginAllowed(origin: string, host: string | undefined, rules: OriginRules): boolean {
  if (rules.allowed.includes(origin)) return true
  const url = originUrl(origin)
  if (url === undefined) return false
  if (rules.allowed.includes('loopback') && LOOPBACK_HOSTS.has(url.hostname)) return true
  if (host === undefined || url.host !== withoutDefaultPort(host, url.protocol)) return false
  const publicHost = hostOf(rules.publicUrl)
  return (
    LOOPBACK_HOSTS.has(url.hostname) ||
    isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0 ||
    url.hostname === publicHost
  )
}

/** The browser's form of an origin, or undefined for `null`, other schemes and anything with a path. */
function originUrl(origin: string): URL | undefined {
  if (!/^https?:\/\/[^/?#@\\]+$/.test(origin) || !URL.canParse(origin)) return undefined
  const url = new URL(origin)
  return url.origin === origin ? url : undefined
}

function withoutDefaultPort(host: string, protocol: string): string {
  const port = protocol === 'https:' ? ':443' : ':80'
  return host.endsWith(port) ? host.slice(0, -port.length) : host
}

function hostOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? new URL(url).hostname : undefined
}
