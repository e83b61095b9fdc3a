/** Whether an address or name to bind to is reachable from this machine alone. */
export function isLoopback(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/^::ffff:/, '')
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/** What a browser or client says about where a request comes from. */
export interface Claims {
  readonly method: string
  readonly host: string | undefined
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  /** A header that only proxies set. */
  readonly proxied: boolean
}

export type LocalRefusal = { kind: 'host'; message: string } | { kind: 'origin'; message: string } | { kind: 'proxied'; message: string }

const SAFE_METHODS = ['GET', 'HEAD']

/** The names under which a loopback gateway on `port` may be called. */
export const localNames = (port: number, further: readonly string[]): string[] => [
  ...['localhost', '127.0.0.1', '[::1]'].flatMap((name) => (port === 80 ? [name, `${name}:80`] : [`${name}:${port}`])),
  ...further,
]

/**
 * Why a caller without a key is not taken for the local administrator; null when it is. A foreign Host means DNS rebinding: a web page that made its own name point here.
 * A foreign Origin means that a web page elsewhere sends a form.
 */
export function refuseLocal(claims: Claims, names: readonly string[]): LocalRefusal | null {
  if (claims.proxied) return { kind: 'proxied', message: 'A request that came through a proxy is not local: send an API key.' }
  const host = claims.host?.toLowerCase() ?? ''
  if (!names.includes(host)) {
    return {
      kind: 'host',
      message: `This gateway answers to ${names.join(', ')}, not to ${JSON.stringify(claims.host ?? '')}: use one of these, or send an API key.`,
    }
  }
  return refuseCrossSite(claims)
}

/** Why a write with credentials that a browser adds by itself is refused; null when it is not. Reads cannot be read across origins anyway. */
export function refuseCrossSite({ method, host, origin, fetchSite }: Claims): LocalRefusal | null {
  if (SAFE_METHODS.includes(method)) return null
  const message = 'A page of another origin may not write here: send an API key in the authorization header instead.'
  if (origin !== undefined && !isSameOrigin(origin, host)) return { kind: 'origin', message }
  if (fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none') return { kind: 'origin', message }
  return null
}

const isSameOrigin = (origin: string, host: string | undefined): boolean =>
  host !== undefined && [`http://${host.toLowerCase()}`, `https://${host.toLowerCase()}`].includes(origin.toLowerCase())
