import { apiKeyCreated, apiKeyRequest, apiKeys } from '@millrace/contracts/http/gateway.ts'
import type { Clock } from '@millrace/platform/clock.ts'
import { AppError } from '@millrace/platform/errors.ts'
import { parseInput } from '@millrace/platform/http/invalid-input.ts'
import { readJsonBody } from '@millrace/platform/http/read-body.ts'
import { ok, route } from '@millrace/platform/http/route.ts'
import type { Log } from '@millrace/platform/log.ts'
import { type Database, UniqueViolation } from '@millrace/platform/sql/sql.ts'
import { createKey } from '../access/key-format.ts'
import type { KeyRing } from '../access/key-ring.ts'
import { insertKey, listKeys, revokeKey, type StoredKey } from '../access/key-store.ts'
import { isReserved } from '../domain/reserved-names.ts'
import type { LocalRequest, LocalRoute } from './local-request.ts'
import { send, sendJson } from './send.ts'

export interface KeysDeps {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
  readonly keys: KeyRing
}

const PATH = '/api/v1/keys'
const BODY_TIMEOUT_MS = 10_000

/** What POST takes, in the form in which the platform reads JSON bodies. */
const creation = route({
  method: 'POST',
  path: PATH,
  access: 'admin',
  summary: 'Creates an API key',
  body: apiKeyRequest,
  maxBodyBytes: 16_384,
  handle: async () => ok({}),
})

/** Creates, lists and revokes API keys. A key is shown once. */
export const keyRoutes = (deps: KeysDeps): LocalRoute[] => [
  { method: 'POST', path: PATH, access: 'admin', handle: (local) => createApiKey(deps, local) },
  {
    method: 'GET',
    path: PATH,
    access: 'admin',
    handle: async ({ response, requestId }) => sendJson(response, 200, apiKeys.parse({ keys: (await listKeys(deps.database)).map(shown) }), requestId),
  },
  { method: 'DELETE', path: `${PATH}/`, access: 'admin', handle: (local) => revokeApiKey(deps, local) },
]

const shown = (key: StoredKey) => ({
  keyId: key.keyId,
  name: key.name,
  role: key.role,
  createdAt: key.createdAt.toISOString(),
  expiresAt: key.expiresAt?.toISOString() ?? null,
  lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
})

async function createApiKey(deps: KeysDeps, { request, response, caller, requestId }: LocalRequest): Promise<void> {
  const input = apiKeyRequest.parse(parseInput(apiKeyRequest, await readJsonBody(request, creation, BODY_TIMEOUT_MS), 'problem', 'body'))
  if (isReserved(input.name)) throw new AppError('INVALID_PARAMETER_VALUE', `The name ${JSON.stringify(input.name)} is reserved: choose another.`)
  const { key, keyId, sha256 } = createKey()
  const now = deps.clock()
  const expiresAt = input.expiresInDays === undefined ? null : new Date(now.getTime() + input.expiresInDays * 86_400_000)
  const stored: StoredKey = { keyId, name: input.name, role: input.role, sha256, createdAt: now, expiresAt, lastUsedAt: null }
  await insertKey(deps.database, stored, caller.user).catch((error: unknown) => {
    if (!(error instanceof UniqueViolation)) throw error
    throw new AppError('RESOURCE_CONFLICT', `There is a key named ${JSON.stringify(input.name)} already: revoke it first, or choose another name.`, {
      cause: error,
    })
  })
  await deps.keys.reload()
  deps.log.info('API key created', { keyId, name: input.name, role: input.role, by: caller.user, requestId })
  sendJson(response, 201, apiKeyCreated.parse({ key, ...shown(stored) }), requestId)
}

async function revokeApiKey(deps: KeysDeps, { response, caller, path, requestId }: LocalRequest): Promise<void> {
  const keyId = path.slice(PATH.length + 1)
  if (!(await revokeKey(deps.database, keyId, deps.clock()))) throw new AppError('RESOURCE_DOES_NOT_EXIST', `There is no API key ${JSON.stringify(keyId)}.`)
  await deps.keys.reload()
  deps.log.info('API key revoked', { keyId, by: caller.user, requestId })
  send(response, { status: 204 }, requestId)
}
