/** The services behind the gateway. */
export const upstreamNames = ['tracking', 'registry', 'trainer', 'promoter', 'drift-monitor', 'inference'] as const
export type UpstreamName = (typeof upstreamNames)[number]

/** Which limits of size and time hold: a prediction, a control-plane call, or the bytes of an artifact. */
export type Traffic = 'predict' | 'api' | 'artifact'
export type Dialect = 'mlflow' | 'problem' | 'oip'

export interface Target {
  readonly upstream: UpstreamName
  readonly traffic: Traffic
  readonly dialect: Dialect
  /** Anybody may ask. */
  readonly open: boolean
}

const to = (upstream: UpstreamName, traffic: Traffic, dialect: Dialect, open = false): Target => ({ upstream, traffic, dialect, open })

/** Path prefixes of whole segments; the longest that fits counts. */
const table: ReadonlyMap<string, Target | null> = new Map<string, Target | null>(
  Object.entries({
    '/predict': to('inference', 'predict', 'problem'),
    '/v2': to('inference', 'predict', 'oip'),
    // Load balancers ask without a key.
    '/v2/health': to('inference', 'predict', 'oip', true),
    '/v1/models': to('inference', 'predict', 'oip'),
    '/invocations': to('inference', 'predict', 'mlflow'),
    '/ping': to('inference', 'predict', 'mlflow', true),
    '/models': to('inference', 'predict', 'mlflow'),
    '/api/v1/serving': to('inference', 'predict', 'problem'),
    // The gateway asks every pod.
    '/api/v1/serving/models': null,
    '/version': to('tracking', 'api', 'mlflow', true),
    '/get-artifact': to('tracking', 'artifact', 'mlflow'),
    '/model-versions/get-artifact': to('registry', 'artifact', 'mlflow'),
    '/api/2.0/mlflow': to('tracking', 'api', 'mlflow'),
    '/api/3.0/mlflow': to('tracking', 'api', 'mlflow'),
    '/api/2.0/mlflow-artifacts': to('tracking', 'artifact', 'mlflow'),
    // Whoever sends a part shows the token that came with its address.
    '/api/2.0/mlflow-artifacts/uploads': to('tracking', 'artifact', 'mlflow', true),
    '/api/2.0/mlflow/upload-artifact': to('tracking', 'artifact', 'mlflow'),
    '/api/2.0/mlflow/get-artifact': to('tracking', 'artifact', 'mlflow'),
    // Accounts and permissions are the gateway's own.
    '/api/2.0/mlflow/users': null,
    '/api/3.0/mlflow/users': null,
    '/api/2.0/mlflow/experiments/permissions': null,
    '/api/2.0/mlflow/registered-models/permissions': null,
    '/api/2.0/mlflow/registered-models': to('registry', 'api', 'mlflow'),
    '/api/2.0/mlflow/model-versions': to('registry', 'api', 'mlflow'),
    '/api/2.0/mlflow/webhooks': to('registry', 'api', 'mlflow'),
    '/api/v1/runs': to('tracking', 'api', 'problem'),
    '/api/v1/experiments': to('tracking', 'api', 'problem'),
    '/api/v1/models': to('registry', 'api', 'problem'),
    '/api/v1/webhooks': to('registry', 'api', 'problem'),
    '/api/v1/audit': to('registry', 'api', 'problem'),
    '/api/v1/registration-policies': to('registry', 'api', 'problem'),
    '/api/v1/serving-state': to('registry', 'api', 'problem'),
    '/api/v1/training': to('trainer', 'api', 'problem'),
    '/api/v1/promotions': to('promoter', 'api', 'problem'),
    '/api/v1/drift': to('drift-monitor', 'api', 'problem'),
    '/api/v1/labels': to('drift-monitor', 'api', 'problem'),
  }),
)

/** MLflow's browser pages ask under `/ajax-api`; the services know one spelling. */
export const canonicalPath = (path: string): string => (path.startsWith('/ajax-api/') ? `/api/${path.slice('/ajax-api/'.length)}` : path)

/** Which service answers a path (canonical, without its query); null where nobody does. */
export function findTarget(path: string): Target | null {
  for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
    const target = table.get(path.slice(0, end))
    if (target !== undefined) return target
  }
  return null
}
