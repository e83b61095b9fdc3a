import { lookup as resolveAddresses } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { buildConnector, Client, type Dispatcher } from 'undici'
import { messageOf, TransientError } from '../errors.ts'
import { refuseInsideTransaction } from '../sql/sql.ts'
import { type HostProblem, type OutsideAnswer, type OutsideClient, OutsideRefused, type OutsideRequest } from './outside-client.ts'
import { isPublicAddress } from './public-address.ts'

/** Every address of a name. Rejects where there is none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>

export interface OutsideClientOptions {
  /** Which addresses may be called; those of the public internet by default. */
  readonly allowAddress?: (address: string) => boolean
  /** The system's resolver by default. */
  readonly resolve?: Resolve
  /** Certificates (PEM) to trust instead of the well-known authorities. */
  readonly ca?: string
}

type Policy = Required<Pick<OutsideClientOptions, 'allowAddress' | 'resolve'>> & Pick<OutsideClientOptions, 'ca'>

const RESOLVE_TIMEOUT_MS = 10_000
const MAX_HEADER_BYTES = 16_384

const resolveByName: Resolve = async (hostname) => (await resolveAddresses(hostname, { all: true })).map(({ address }) => address)

/** The client for addresses that users name. It takes no proxy from the environment: the peer that is checked would be the proxy. */
export function createOutsideClient({ allowAddress = isPublicAddress, resolve = resolveByName, ca }: OutsideClientOptions = {}): OutsideClient {
  const policy: Policy = { allowAddress, resolve, ...(ca === undefined ? {} : { ca }) }
  return {
    findProblem: async (hostname) => problemOf(await check(policy, hostname, AbortSignal.timeout(RESOLVE_TIMEOUT_MS))),
    post: (request) => post(policy, request),
  }
}

type Checked = { readonly kind: 'fine'; readonly addresses: readonly string[] } | HostProblem

const problemOf = (checked: Checked): HostProblem | null => (checked.kind === 'fine' ? null : checked)

/** One address that is not public spoils the name: which of them a connection takes is not ours to choose. */
async function check({ resolve, allowAddress }: Policy, hostname: string, signal: AbortSignal): Promise<Checked> {
  const literal = hostname.replace(/^\[(.*)\]$/, '$1')
  try {
    const addresses = isIP(literal) ? [literal] : await inTime(resolve(literal), signal)
    const refused = addresses.find((address) => !allowAddress(address))
    if (refused !== undefined) return { kind: 'not-public', detail: refused }
    return addresses.length > 0 ? { kind: 'fine', addresses } : { kind: 'unresolvable', detail: 'it has no address' }
  } catch (error) {
    return { kind: 'unresolvable', detail: messageOf(error) }
  }
}

/** Resolving itself cannot be called off: its answer is no longer waited for. */
async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(new Error('no answer in time'))
  if (signal.aborted) give()
  signal.addEventListener('abort', give, { once: true })
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', give)
  }
}

async function post(policy: Policy, request: OutsideRequest): Promise<OutsideAnswer> {
  const url = new URL(request.url)
  refuseInsideTransaction(`POST to ${url.hostname}`)
  if (url.protocol !== 'https:') throw new OutsideRefused(`only https is called, not ${url.protocol.slice(0, -1)}`)
  const timeout = AbortSignal.timeout(request.timeoutMs)
  const signal = request.signal ? AbortSignal.any([request.signal, timeout]) : timeout
  const checked = await check(policy, url.hostname, signal)
  if (checked.kind === 'not-public') throw new OutsideRefused(`'${url.hostname}' resolves to ${checked.detail}, which is not a public address`)
  if (checked.kind === 'unresolvable') throw new TransientError(`'${url.hostname}' cannot be resolved: ${checked.detail}`)
  const client = connectTo(url, checked.addresses, policy, request.timeoutMs)
  try {
    return await exchange(client, url, request, signal)
  } catch (error) {
    throw explain(error, timeout, request.timeoutMs)
  } finally {
    await client.destroy()
  }
}

/** A client for one call: nothing is reused that was checked at another time. */
function connectTo(url: URL, addresses: readonly string[], policy: Policy, timeoutMs: number): Client {
  const trust = policy.ca === undefined ? {} : { ca: policy.ca }
  const open = buildConnector({ timeout: timeoutMs, allowH2: false, maxCachedSessions: 0, lookup: pinTo(addresses), ...trust })
  const connect: buildConnector.connector = (options, callback) =>
    open(options, (error, socket) => {
      if (error) return callback(error, null)
      const peer = socket.remoteAddress ?? ''
      if (policy.allowAddress(peer)) return callback(null, socket)
      socket.destroy()
      return callback(new OutsideRefused(`the connection led to ${peer || 'an unknown address'}, which is not a public address`), null)
    })
  return new Client(url.origin, { connect, pipelining: 0, maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: timeoutMs, bodyTimeout: timeoutMs })
}

/** Answers what was checked, whatever the name resolves to by now. */
const pinTo = (addresses: readonly string[]): LookupFunction =>
  function pinned(_hostname, options, callback) {
    const all = addresses.map((address) => ({ address, family: isIP(address) }))
    const [first] = all
    if (options.all || !first) callback(null, all)
    else callback(null, first.address, first.family)
  }

async function exchange(client: Client, url: URL, request: OutsideRequest, signal: AbortSignal): Promise<OutsideAnswer> {
  const { headers, body } = request
  const answer = await client.request({ method: 'POST', path: `${url.pathname}${url.search}`, headers, body, signal })
  const retryAfter = answer.headers['retry-after']
  const text = await readHead(answer.body, request.keepBytes)
  return { status: answer.statusCode, body: text, retryAfter: (Array.isArray(retryAfter) ? retryAfter[0] : retryAfter) ?? null }
}

/** The status says whether it was taken: a body that breaks off or never ends takes nothing from that. */
async function readHead(body: Dispatcher.ResponseData['body'], keepBytes: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  // The stream of a call that is given up reports that as an error.
  body.on('error', () => undefined)
  try {
    if (keepBytes > 0) {
      for await (const chunk of body) {
        chunks.push(chunk)
        size += chunk.length
        if (size >= keepBytes) break
      }
    }
  } catch {
    // What came until then is kept.
  } finally {
    body.destroy()
  }
  return Buffer.concat(chunks).subarray(0, keepBytes).toString('utf8')
}

function explain(error: unknown, timeout: AbortSignal, timeoutMs: number): Error {
  if (error instanceof OutsideRefused) return error
  const reason = timeout.aborted ? `no answer within ${timeoutMs / 1000} s` : messageOf(error)
  return new TransientError(reason, { cause: error })
}
