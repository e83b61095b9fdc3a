import { gatewayReady } from '@millrace/contracts/http/gateway.ts'
import { type Dispatcher, request } from 'undici'
import { z } from 'zod'
import type { UpstreamName } from '../domain/route-table.ts'
import type { LocalRoute } from './local-request.ts'
import { sendJson } from './send.ts'

const ASK_TIMEOUT_MS = 1000
/** Probes and open pages must not multiply into calls to every service. */
const KEEP_MS = 500

const partReady = z.looseObject({ ready: z.boolean() })
type Ready = z.infer<typeof gatewayReady>

/** `/ready`: each service's own answer, asked with a short time limit. A service with several pods is ready when one of them is. */
export function readyRoute(upstreams: Readonly<Record<UpstreamName, () => readonly string[]>>, dispatcher: Dispatcher): LocalRoute {
  let kept: { at: number; answer: Promise<Ready> } | null = null
  return {
    method: 'GET',
    path: '/ready',
    access: 'public',
    async handle({ response, requestId }) {
      if (!kept || performance.now() - kept.at > KEEP_MS) kept = { at: performance.now(), answer: askAll(upstreams, dispatcher) }
      const answer = await kept.answer
      sendJson(response, answer.ready ? 200 : 503, answer, requestId)
    },
  }
}

async function askAll(upstreams: Readonly<Record<UpstreamName, () => readonly string[]>>, dispatcher: Dispatcher): Promise<Ready> {
  const asked = Object.entries(upstreams).map(async ([name, list]) => {
    const answers = await Promise.all(list().map((origin) => askOne(origin, dispatcher)))
    return [name, answers.find((part) => part.ready) ?? answers[0] ?? { ready: false, message: 'not running' }] as const
  })
  const parts = Object.fromEntries(await Promise.all(asked))
  return gatewayReady.parse({ ready: Object.values(parts).every((part) => part.ready), parts })
}

async function askOne(origin: string, dispatcher: Dispatcher): Promise<z.infer<typeof partReady>> {
  try {
    const answer = await request(new URL('/ready', origin), { dispatcher, signal: AbortSignal.timeout(ASK_TIMEOUT_MS) })
    return partReady.parse(await answer.body.json())
  } catch {
    return { ready: false, message: 'does not answer' }
  }
}
