import { STATUS_MEANINGS } from './operation.ts'

const statuses = Object.entries(STATUS_MEANINGS)
  .map(([status, meaning]) => `| ${status} | ${meaning} |`)
  .join('\n')

/** What holds for every route, in CommonMark. */
export const introduction = `One port for everything: predictions in four protocols, MLflow's tracking and registry, training, promotion and drift.

**Who calls.** Send an API key as \`authorization: Bearer <key>\` or \`x-api-key: <key>\`. On a gateway that is bound to this machine alone, a caller without one is the local administrator.

**Request id, trace, deadline.** \`x-request-id\` is kept or made and is on every answer. \`traceparent\` (W3C Trace Context) is continued. \`x-request-timeout-ms\` shortens the time a call may take, everywhere on its way.

**Errors** have the shape of the protocol that was spoken:

| protocol | content type | body |
| --- | --- | --- |
| Millrace's own routes | application/problem+json (RFC 9457) | \`{"type", "title", "status", "detail", "code", "request_id"}\` |
| Open Inference Protocol, TensorFlow Serving | application/json | \`{"error": "..."}\` |
| MLflow, its scoring server too | application/json | \`{"error_code": "...", "message": "..."}\` |

| status | meaning |
| --- | --- |
${statuses}`

export const tags = [
  { name: 'inference', description: 'Predictions: Open Inference Protocol v2, /predict, MLflow scoring, TensorFlow Serving' },
  { name: 'gateway', description: 'Keys, events, the record of administrative calls' },
  { name: 'tracking', description: 'Experiments, runs and artifacts (MLflow)' },
  { name: 'registry', description: 'Models, versions, stages (MLflow), serving state, webhooks' },
  { name: 'trainer', description: 'Training jobs' },
  { name: 'promoter', description: 'Gates, decisions and rollouts' },
  { name: 'drift-monitor', description: 'Drift, labels and performance' },
]
