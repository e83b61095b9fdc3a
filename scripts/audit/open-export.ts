import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'

interface Place {
  readonly file: string | null
  readonly url: string | null
  readonly key: string | null
}

const DEFAULT_URL = 'http://127.0.0.1:8080'

/** The lines of an export: of a file, the standard input, or a running Millrace. @throws Error saying what to do where there is none */
export async function openExport({ file, url, key }: Place): Promise<AsyncIterable<string>> {
  if (file !== null && url !== null) throw new Error('give a file or --url, not both')
  return linesOf(file === '-' ? process.stdin : file === null ? await download(url ?? DEFAULT_URL, key) : createReadStream(file))
}

/** A fault of the input is thrown where the lines are read: `readline` alone would leave it to an event that nobody hears. */
async function* linesOf(input: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = ''
  for await (const part of input.setEncoding('utf8')) {
    const lines = (rest + String(part)).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  if (rest !== '') yield rest
}

async function download(base: string, key: string | null): Promise<Readable> {
  const answer = await fetch(new URL('/api/v1/audit/export', base), { headers: key === null ? {} : { authorization: `Bearer ${key}` } })
  if (!answer.ok || !answer.body) {
    throw new Error(`${base} answered ${answer.status}: ${(await answer.text()).slice(0, 500)}\nSet MILLRACE_API_KEY to the key of an administrator.`)
  }
  // The cast: fetch's stream and Node's are the same thing under two declarations.
  return Readable.fromWeb(answer.body as ReadableStream<Uint8Array>)
}
