import { HEADER_REASON } from '@millrace/contracts/http/inference.ts'
import { AppError } from '@millrace/platform/errors.ts'
import type { Dispatcher } from 'undici'
import type { Pod, Pods } from '../balance/pods.ts'
import { GoneError } from '../balance/watch-pods.ts'
import type { RetryBudget } from '../domain/retry-budget.ts'
import type { UpstreamName } from '../domain/route-table.ts'
import { askPod, type Conduct, type HeldAnswer } from './ask-pod.ts'
import { isLate, isPodFault, isUnreached } from './explain-failure.ts'
import type { Forwarding } from './forward.ts'
import { returnedHeaders } from './headers.ts'
import { isUntouched, type RequestBody } from './request-body.ts'
import type { ClientWatch } from './watch-client.ts'

export interface TryPodsOptions {
  readonly forwarding: Forwarding
  readonly pods: Pods
  readonly budget: RetryBudget
  readonly body: RequestBody
  readonly client: ClientWatch
  /** Those of `options`, to tell each pod the time that is left. */
  readonly headers: Record<string, string | string[]>
  readonly options: Dispatcher.DispatchOptions
  /** Whether doing it twice does no harm. */
  readonly repeatable: boolean
  readonly onRetry: (upstream: UpstreamName, retry: RetryReason) => void
}

/** Why another pod was asked; `no_budget` when it would have been. */
export type RetryReason = 'unreached' | 'broke_off' | 'unavailable' | 'no_budget'

const TOO_MUCH = ['queue_full', 'deadline']

/** Asks one pod after the other until one answers. */
export async function tryPods(options: TryPodsOptions): Promise<void> {
  const { pods, budget, forwarding } = options
  const tried: Pod[] = []
  let held: HeldAnswer | null = null
  let failure: unknown = null
  budget.earn()
  for (let pod = pods.pick(tried); pod; pod = pods.pick(tried)) {
    tried.push(pod)
    try {
      const answer = await askOne(options, pod, tried)
      if (answer === null) return
      held = answer
    } catch (error) {
      failure = error
      judge(options, pod, error)
      if (!goesOn(options, tried, error)) break
    }
  }
  if (held && !forwarding.response.headersSent && !options.client.over) return passOn(forwarding, held)
  throw failure ?? new AppError('TEMPORARILY_UNAVAILABLE', `The ${forwarding.target.upstream} service is not running at the moment: try again.`)
}

function askOne(options: TryPodsOptions, pod: Pod, tried: readonly Pod[]): Promise<HeldAnswer | null> {
  const { forwarding, client, headers, pods, repeatable } = options
  const remainingMs = client.remainingMs()
  if (remainingMs !== null) headers['x-request-timeout-ms'] = String(remainingMs)
  const beganMs = performance.now()
  const span = forwarding.trace?.beginAttempt(pod.origin, tried.length - 1) ?? null
  if (span) headers['traceparent'] = span.traceparent
  const onAnswer = (status: number, conduct: Conduct): void => {
    if (conduct === 'badly') pods.failed(pod)
    else pods.answered(pod, conduct === 'well' ? performance.now() - beganMs : null)
    span?.end(status, null)
  }
  const asked = askPod(pod, options.options, {
    ...{ response: forwarding.response, requestId: forwarding.requestId, client, onAnswer },
    isMovable: () => repeatable && isUntouched(options.body),
    holdBack: (status, answered) => status === 503 && mayHoldBack(options, tried, String(answered[HEADER_REASON])),
  })
  return span ? asked.finally(() => span.end(0, 'no answer')) : asked
}

/** A pod with too much to do is worth asking one other: more would add load where all have too much. One that lacks the model is worth asking them all. */
function mayHoldBack({ forwarding, pods, body, repeatable, budget, onRetry }: TryPodsOptions, tried: readonly Pod[], reason: string): boolean {
  const isEnough = TOO_MUCH.includes(reason) && tried.length > 1
  if (isEnough || !repeatable || !isUntouched(body) || pods.pick(tried) === null) return false
  const may = budget.spend(performance.now())
  onRetry(forwarding.target.upstream, may ? 'unavailable' : 'no_budget')
  return may
}

function judge({ pods, client }: TryPodsOptions, pod: Pod, error: unknown): void {
  if (client.over?.code === 'CANCELLED') return
  if (isUnreached(error)) pods.refused(pod)
  else if (isPodFault(error) || isLate(error)) pods.failed(pod)
}

/** A call that did not come about costs no pod anything; one that broke off may have been worked on, and asking once more is paid from the budget. */
function goesOn({ forwarding, pods, body, client, repeatable, budget, onRetry }: TryPodsOptions, tried: readonly Pod[], error: unknown): boolean {
  const unreached = isUnreached(error)
  const elsewhere = isPodFault(error) && (repeatable || unreached) && isUntouched(body)
  if (!elsewhere || client.over || forwarding.response.headersSent || pods.pick(tried) === null) return false
  const may = unreached || error instanceof GoneError || budget.spend(performance.now())
  onRetry(forwarding.target.upstream, may ? (unreached ? 'unreached' : 'broke_off') : 'no_budget')
  return may
}

function passOn({ response, requestId }: Forwarding, { status, headers, body }: HeldAnswer): void {
  response.writeHead(status, returnedHeaders(headers, requestId))
  response.end(body)
}
