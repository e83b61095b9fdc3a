import { X509Certificate } from 'node:crypto'
import type { Server as TlsServer } from 'node:https'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { AppError, messageOf } from '../errors.ts'

/** A certificate for callers that have none themselves. */
export interface PublicTls {
  /** PEM, as it is now: asked at the start and now and then, because certificates are renewed. */
  readonly read: () => { readonly cert: string; readonly key: string }
  readonly everyMs: number
  /** Told when the certificate was exchanged, or could not be and the old one stays. */
  readonly onRenewed: (renewed: { readonly validTo: string } | { readonly refused: string }) => void
}

/** Forward secrecy and authenticated encryption alone (Mozilla's "intermediate", 2024); TLS 1.3 has no others. */
const CIPHERS = [
  ...['TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384'],
  ...['ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'],
].join(':')

const HANDSHAKE_TIMEOUT_MS = 10_000

type Pair = ReturnType<PublicTls['read']>

const contextOptions = (pair: Pair): SecureContextOptions => ({ ...pair, minVersion: 'TLSv1.2', ciphers: CIPHERS, honorCipherOrder: true })

/** What `https.createServer` takes. @throws AppError INVALID_PARAMETER_VALUE for a certificate that cannot be read, has run out or does not belong to its key */
export function publicServerOptions({ read }: PublicTls) {
  return { ...contextOptions(checked(read)), handshakeTimeout: HANDSHAKE_TIMEOUT_MS, ALPNProtocols: ['http/1.1'] }
}

/** Exchanges the certificate of the server when it has changed; connections that are open keep theirs. Ends with the server. */
export function followCertificate(server: TlsServer, tls: PublicTls, first: Pair): void {
  let current = first
  const look = (): void => {
    try {
      const next = tls.read()
      if (next.cert === current.cert && next.key === current.key) return
      current = next
      server.setSecureContext(contextOptions(checked(() => next)))
      tls.onRenewed({ validTo: new X509Certificate(next.cert).validTo })
    } catch (error) {
      tls.onRenewed({ refused: messageOf(error) })
    }
  }
  const timer = setInterval(look, tls.everyMs).unref()
  server.once('close', () => clearInterval(timer))
}

function checked(read: PublicTls['read']): Pair {
  try {
    const pair = read()
    createSecureContext(contextOptions(pair))
    const { validTo, validToDate } = new X509Certificate(pair.cert)
    if (validToDate.getTime() < Date.now()) throw new Error(`it has run out on ${validTo}`)
    return pair
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `The certificate of the public port cannot be used: ${messageOf(cause)}`, { cause })
  }
}
