import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerOptions as ServerLimits } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Started } from '../component.ts'
import { AppError } from '../errors.ts'
import type { DirectHandler } from '../service.ts'
import { followCertificate, type PublicTls, publicServerOptions } from './public-tls.ts'
import type { ServiceTls } from './service-tls.ts'

export interface ServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  readonly app: RequestListener
  /** Looked at before `app`. */
  readonly direct?: DirectHandler
  /** Told of what `direct` throws; its caller gets a 500. */
  readonly onFault?: (error: unknown) => void
  /** Takes connections over TLS alone, and only with a certificate of the same authority. */
  readonly tls?: ServiceTls | null
  /** Takes connections over TLS alone, from everybody. */
  readonly publicTls?: PublicTls
  readonly headersTimeoutMs?: number
  readonly keepAliveTimeoutMs?: number
  readonly maxConnections?: number
  /** How long `stop` waits for answers in progress before it cuts them off. */
  readonly drainMs?: number
}

export interface Listening {
  readonly url: string
  readonly port: number
}

const MAX_HEADER_BYTES = 16_384
const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

/**
 * Opens the port. `stop` closes idle connections, lets answers in progress finish for up to `drainMs`, then cuts them off.
 * @throws AppError RESOURCE_CONFLICT when the port is taken, PERMISSION_DENIED when it may not be opened
 */
export async function startServer(options: ServerOptions): Promise<Started<Listening>> {
  const server = createAnyServer(options)
  server.maxConnections = options.maxConnections ?? 10_000
  server.on('clientError', refuseMalformed)
  await listen(server, options)
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : options.port
  const host = options.host.includes(':') ? `[${options.host}]` : options.host
  return {
    value: { url: `${options.tls || options.publicTls ? 'https' : 'http'}://${host}:${port}`, port },
    stop: () => drain(server, options.drainMs ?? 10_000),
  }
}

function createAnyServer(options: ServerOptions): Server {
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: options.headersTimeoutMs ?? 10_000,
    // Bodies are timed where they are read: an artifact of many gigabytes may take its time, a JSON body may not.
    requestTimeout: 0,
    keepAliveTimeout: options.keepAliveTimeoutMs ?? 30_000,
    connectionsCheckingInterval: 1000,
  }
  if (options.publicTls) return createPublicServer(limits, options, options.publicTls)
  if (!options.tls) return createServer(limits, withDirect(options))
  const { cert, key, ca } = options.tls
  // Both sides are Millrace's own: there is no old client to be kind to.
  return createTlsServer({ ...limits, cert, key, ca, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' }, withDirect(options))
}

function createPublicServer(limits: ServerLimits, options: ServerOptions, publicTls: PublicTls): Server {
  const own = publicServerOptions(publicTls)
  const server = createTlsServer({ ...limits, ...own }, withDirect(options))
  followCertificate(server, publicTls, { cert: String(own.cert), key: String(own.key) })
  return server
}

/** A bug on the prediction path must cost one request, not the process. */
const withDirect = ({ direct, app, onFault }: ServerOptions): RequestListener =>
  function dispatch(request, response) {
    try {
      if (!direct?.(request, response)) app(request, response)
    } catch (error) {
      onFault?.(error)
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { connection: 'close' }).end()
    }
  }

/** Not HTTP, or more of it than allowed: say so in one line and close. */
function refuseMalformed(error: Error & { code?: string }, socket: Duplex & { _httpMessage?: IncomingMessage }): void {
  if (error.code === 'ECONNRESET' || !socket.writable || isTlsFault(error)) {
    socket.destroy()
    return
  }
  socket.end(`HTTP/1.1 ${REFUSALS[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Without TLS there is nothing to say it over. */
const isTlsFault = ({ code }: { code?: string }): boolean => /^ERR_(SSL|TLS)_/.test(code ?? '')

async function listen(server: Server, { host, port }: ServerOptions): Promise<void> {
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    throw explainListen(cause, host, port)
  }
}

function explainListen(cause: unknown, host: string, port: number): unknown {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code === 'EADDRINUSE') {
    return new AppError('RESOURCE_CONFLICT', `Port ${port} is taken on ${host}: set PORT to a free one, or stop the program that uses it.`, { cause })
  }
  if (code === 'EACCES') return new AppError('PERMISSION_DENIED', `Port ${port} may not be opened by this user: set PORT to one above 1023.`, { cause })
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new AppError('INVALID_PARAMETER_VALUE', `This machine has no address ${host}: set HOST to one it has, such as 127.0.0.1.`, { cause })
  }
  return cause
}

async function drain(server: Server, drainMs: number): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  // A connection whose answer ends while draining becomes idle without being closed: look again until all are gone.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  const cut = setTimeout(() => server.closeAllConnections(), drainMs)
  try {
    await closed
  } finally {
    clearInterval(idle)
    clearTimeout(cut)
  }
}
