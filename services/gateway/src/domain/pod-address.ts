/** Where the pods of a service are: at an address that is as it is written, or at those that DNS tells for a name. */
export type PodAddress =
  | { readonly kind: 'static'; readonly url: string }
  /** Every address of the name, such as that of a headless Kubernetes service. */
  | { readonly kind: 'address'; readonly scheme: Scheme; readonly name: string; readonly port: number }
  /** Every target of the name, with the port that it tells (RFC 2782), such as `_http._tcp.inference.default.svc.cluster.local`. */
  | { readonly kind: 'service'; readonly scheme: Scheme; readonly name: string }

type Scheme = 'http' | 'https'

const STATIC = /^https?:\/\/[^\s/]+/
const BY_ADDRESS = /^dns\+(https?):\/\/([A-Za-z0-9_.-]+):(\d{1,5})$/
const BY_SERVICE = /^srv\+(https?):\/\/(_[A-Za-z0-9_.-]+)$/

/** Reads `http://host:8080`, `dns+http://name:8080` or `srv+http://_port._tcp.name`; null for anything else. */
export function readPodAddress(text: string): PodAddress | null {
  const [, addressScheme, addressName = '', port = ''] = BY_ADDRESS.exec(text) ?? []
  if (addressScheme)
    return Number(port) <= 65_535 && Number(port) > 0 ? { kind: 'address', scheme: schemeOf(addressScheme), name: addressName, port: Number(port) } : null
  const [, serviceScheme, serviceName = ''] = BY_SERVICE.exec(text) ?? []
  if (serviceScheme) return { kind: 'service', scheme: schemeOf(serviceScheme), name: serviceName }
  return STATIC.test(text) && URL.canParse(text) ? { kind: 'static', url: text.replace(/\/+$/, '') } : null
}

const schemeOf = (text: string): Scheme => (text === 'https' ? 'https' : 'http')

/** The base URL of an address; IPv6 in brackets. */
export const originOf = (scheme: Scheme, address: string, port: number): string => `${scheme}://${address.includes(':') ? `[${address}]` : address}:${port}`
