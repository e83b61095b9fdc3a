import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createDeflate, createGzip, deflate, gzip } from 'node:zlib'
import type { Reply } from './exchange.ts'
import { discardRest } from './read-body.ts'

/** Below this, packing costs more than it saves. */
const WORTH_PACKING_BYTES = 1024
/** The quickest: answers are made of digits, which higher levels hardly pack better. */
const LEVEL = { level: 1 }

interface Packing {
  readonly name: string
  readonly pack: (content: Uint8Array | string, options: { level: number }) => Promise<Uint8Array>
  readonly stream: () => Transform
}

const packings: readonly Packing[] = [
  { name: 'gzip', pack: promisify(gzip), stream: () => createGzip(LEVEL) },
  { name: 'deflate', pack: promisify(deflate), stream: () => createDeflate(LEVEL) },
]

/** Writes an answer, packed where the caller takes it so, streamed with back-pressure where it comes in pieces. Resolves when it is complete or the client has gone. */
export async function sendReply(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<number> {
  const packing = acceptedPacking(request.headers['accept-encoding'])
  const headOnly = request.method === 'HEAD'
  if (typeof reply.body === 'string' || reply.body instanceof Uint8Array) await sendWhole(response, reply, reply.body, { packing, headOnly })
  else await sendPieces(response, reply, reply.body.pieces, { packing, headOnly })
  return reply.status
}

interface Sending {
  readonly packing: Packing | null
  readonly headOnly: boolean
}

async function sendWhole(response: ServerResponse, reply: Reply, body: string | Uint8Array, { packing, headOnly }: Sending): Promise<void> {
  const sizeBytes = Buffer.byteLength(body)
  if (!packing || sizeBytes < WORTH_PACKING_BYTES) {
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers, 'content-length': sizeBytes })
    response.end(headOnly ? undefined : body)
    return
  }
  const content = await packing.pack(body, LEVEL)
  response.writeHead(reply.status, { ...packedHeaders(reply, packing), 'content-length': content.length })
  response.end(headOnly ? undefined : content)
}

const packedHeaders = ({ headers }: Reply, { name }: Packing) => ({
  'content-type': 'application/json',
  ...headers,
  'content-encoding': name,
  vary: 'accept-encoding',
})

type AnyPieces = Iterable<string> | AsyncIterable<string | Uint8Array>

async function sendPieces(response: ServerResponse, reply: Reply, pieces: AnyPieces, { packing, headOnly }: Sending): Promise<void> {
  const headers = packing ? packedHeaders(reply, packing) : { 'content-type': 'application/json', ...reply.headers }
  response.writeHead(reply.status, headers)
  if (headOnly) {
    response.end()
    return
  }
  const outcome: Outcome = { broken: false }
  const source = Readable.from(untilBroken(pieces, outcome), { objectMode: true, highWaterMark: 2 })
  const sent = packing ? pipeline(source, packing.stream(), response, { end: false }) : pipeline(source, response, { end: false })
  const gone = await sent.then(
    () => false,
    () => true,
  )
  if (gone) response.destroy()
  else if (outcome.broken) await breakOff(response)
  else response.end()
}

/** Whether the pieces ended in an error. */
interface Outcome {
  broken: boolean
}

async function* untilBroken(pieces: AnyPieces, outcome: Outcome): AsyncGenerator<string | Uint8Array> {
  try {
    yield* pieces
  } catch {
    outcome.broken = true
  }
}

/** Ends the connection without the end of the answer: what is missing must not look complete. What was written before still arrives. */
async function breakOff(response: ServerResponse): Promise<void> {
  await discardRest(response.req)
  if (response.socket) response.socket.destroySoon()
}

/** The first of our packings that the caller takes. `q=0` refuses one; without the header nothing is packed. */
function acceptedPacking(header: string | string[] | undefined): Packing | null {
  if (header === undefined) return null
  const offers = String(header).toLowerCase().split(',')
  const accepted = new Set(offers.filter((offer) => !/;\s*q=0(?:\.0*)?\s*$/.test(offer)).map((offer) => offer.split(';', 1)[0]?.trim()))
  return packings.find(({ name }) => accepted.has(name)) ?? null
}
