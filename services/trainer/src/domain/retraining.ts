import type { RetrainingPolicy } from '@millrace/contracts/http/trainer.ts'

/** What asks for a retraining. */
export type Alert = { kind: 'drift'; alertId: string; severity: string } | { kind: 'performance'; alertId: string }

/** What is known about earlier retrainings of the model. */
export interface Retrainings {
  readonly lastAskedAt: Date | null
  /** One is queued or running. */
  readonly underWay: boolean
}

export type Answer = { kind: 'retrain'; cause: string } | { kind: 'leave'; reason: string }

const leave = (reason: string): Answer => ({ kind: 'leave', reason })

/** Whether an alert makes a training job. */
export function answerAlert(policy: RetrainingPolicy | null, alert: Alert, earlier: Retrainings, now: Date): Answer {
  if (!policy) return leave('the model has no retraining policy')
  const reason = policyRefuses(policy, alert)
  if (reason) return leave(reason)
  if (earlier.underWay) return leave('a retraining of the model is under way')
  if (earlier.lastAskedAt !== null && now.getTime() - earlier.lastAskedAt.getTime() < policy.cooldownMs) {
    return leave(`the last retraining was asked for less than ${policy.cooldownMs} ms ago`)
  }
  return { kind: 'retrain', cause: `${alert.kind} alert ${alert.alertId}` }
}

function policyRefuses({ onDrift, onPerformance }: RetrainingPolicy, alert: Alert): string | null {
  if (alert.kind === 'performance') return onPerformance ? null : 'the policy leaves performance alerts to people'
  if (onDrift === 'off') return 'the policy leaves drift alerts to people'
  return onDrift === 'critical' && alert.severity !== 'critical' ? 'the policy retrains on critical drift only' : null
}
