import { setTimeout as sleep } from 'node:timers/promises'
import { type Prediction, prediction } from '@millrace/contracts/http/inference.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { z } from 'zod'

/** Millrace as one of its users sees it: HTTP through the gateway, nothing else. */
export interface UserClient {
  readonly url: string
  /** False where the gateway asks for a key and this client has none, or one that does not hold. */
  isAdmitted(): Promise<boolean>
  get<Schema extends z.ZodType>(path: string, response: Schema): Promise<z.infer<Schema>>
  send<Schema extends z.ZodType>(method: 'POST' | 'PUT', path: string, body: unknown, response: Schema, idempotencyKey?: string): Promise<z.infer<Schema>>
  /** One image through POST /predict. */
  predict(image: Uint8Array<ArrayBuffer>, model?: string): Promise<Prediction>
  /** Asks until `check` gives something; null means not yet. @throws TransientError after `timeoutMs`. */
  waitFor<T>(what: string, check: () => Promise<T | null>, timeoutMs?: number): Promise<T>
}

const POLL_MS = 100
const WAIT_MS = 180_000
const REQUEST_MS = 30_000

const problem = z.looseObject({ detail: z.string().optional(), message: z.string().optional(), error: z.string().optional() })

export function createUserClient(url: string, apiKey?: string): UserClient {
  const keyed = apiKey === undefined ? {} : { 'x-api-key': apiKey }
  const request = (path: string, init: RequestInit & { headers?: Record<string, string> }) =>
    send(url, path, { ...init, headers: { ...init.headers, ...keyed } })
  return {
    url,
    isAdmitted: async () => (await fetch(new URL('/api/v1/models', url), { headers: keyed, signal: AbortSignal.timeout(REQUEST_MS) })).status !== 401,
    get: async (path, response) => response.parse(await request(path, {})),
    send: async (method, path, body, response, idempotencyKey) => {
      const headers = { 'content-type': 'application/json', ...(idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}) }
      return response.parse(await request(path, { method, headers, body: JSON.stringify(body) }))
    },
    predict: async (image, model) => {
      const form = new FormData()
      form.set('file', new Blob([image], { type: 'image/jpeg' }), 'image.jpg')
      return prediction.parse(await request(model ? `/predict?model=${encodeURIComponent(model)}` : '/predict', { method: 'POST', body: form }))
    },
    waitFor,
  }
}

async function send(url: string, path: string, init: RequestInit): Promise<unknown> {
  const response = await fetch(new URL(path, url), { ...init, signal: AbortSignal.timeout(REQUEST_MS) })
  const body: unknown = await response.json().catch(() => ({}))
  if (response.ok) return body
  const said = problem.safeParse(body).data
  throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${said?.detail ?? said?.message ?? said?.error ?? 'no reason given'}`)
}

async function waitFor<T>(what: string, check: () => Promise<T | null>, timeoutMs: number = WAIT_MS): Promise<T> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const found = await check()
    if (found !== null) return found
    await sleep(POLL_MS)
  }
  throw new TransientError(`waited ${Math.round(timeoutMs / 1000)} s for ${what}`)
}
