import { connect } from 'node:net'
import { z } from 'zod'
import type { Echo } from './start-gateway.ts'

const echoed = z.looseObject({
  service: z.string(),
  url: z.string(),
  user: z.string(),
  role: z.string(),
  headers: z.record(z.string(), z.string()),
  bytes: z.number(),
})
/** What an echoing service tells of the request that reached it. */
export const echoOf = async (answer: Response): Promise<Omit<Echo, 'method'>> => echoed.parse(await answer.json())
/** An error in any of the dialects. */
export const problemOf = async (answer: Response) =>
  z
    .looseObject({ code: z.string().optional(), detail: z.string().optional(), error_code: z.string().optional(), error: z.string().optional() })
    .parse(await answer.json())

export const jsonPost = (body: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
})

/** Bytes as they are, past every client's own checks. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(text)
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}
