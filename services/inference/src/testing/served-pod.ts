import type { InferenceConfig } from '../config.ts'
import { createWorld, startTestPod, stateOf } from './test-pod.ts'

/** Numbers beyond 2^53 as text, so that no test compares what `JSON.parse` rounded. */
export const parseExact = (text: string): unknown => JSON.parse(text.replace(/(?<=[[,:])-?\d{16,}(?=[,\]}])/g, '"$&"'))

/** A pod with a Production version of each model, and a way to ask it. */
export async function startServedPod(models: Record<string, Record<string, Uint8Array>>, config: Partial<InferenceConfig> = {}) {
  const world = await createWorld()
  const pod = await startTestPod(world, { config })
  for (const [model, files] of Object.entries(models)) {
    await world.publish(stateOf(model, { generation: 1, production: ['1', await world.seal(files)] }))
    await pod.serves(model, '1')
  }
  async function call(path: string, init: RequestInit = {}) {
    const response = await pod.call(path, init)
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString()
    return { status: response.status, headers: response.headers, bytes, text, body: /^[{[]/.test(text) && !isBinary(response) ? parseExact(text) : null }
  }
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) => {
    const raw = typeof body === 'string' || body instanceof Uint8Array
    const content = raw ? (typeof body === 'string' ? body : Uint8Array.from(body)) : JSON.stringify(body)
    return call(path, { method: 'POST', body: content, headers: { 'content-type': 'application/json', ...headers } })
  }
  return { world, pod, call, post }
}

const isBinary = (response: Response): boolean => /octet-stream|jsonlines/.test(response.headers.get('content-type') ?? '')
