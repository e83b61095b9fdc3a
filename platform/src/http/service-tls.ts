/** How a service shows to other services that it belongs to them, and knows them: mutual TLS. All three are PEM, read once at the start. */
export interface ServiceTls {
  /** Its own certificate with the chain above it, for a server and for a client: it must hold for the names under which others call the service. */
  readonly cert: string
  readonly key: string
  /** The only authority whose certificates are accepted, on both sides. */
  readonly ca: string
}
