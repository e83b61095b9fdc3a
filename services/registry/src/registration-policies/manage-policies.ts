import { AppError } from '@millrace/platform/errors.ts'
import { parseFilter } from '@millrace/platform/search/parse-filter.ts'
import type { Actor } from '../actor.ts'
import type { RegistryDeps } from '../deps.ts'
import type { RegistrationPolicy } from '../domain/registration-policy.ts'
import { appendAudit } from '../store/audit.ts'
import { runRules } from './run-rules.ts'
import { deletePolicy, findPolicy, type PolicyRow, savePolicy } from './store.ts'

export interface PolicyFields {
  readonly enabled: boolean
  readonly experimentIds: readonly string[]
  readonly filter: string
  readonly model: string
  readonly artifactPath: string | null
}

const MAX_POLICIES = 200

export const policyMissing = (name: string): AppError => new AppError('RESOURCE_DOES_NOT_EXIST', `There is no registration policy '${name}'`)

/** The policy as it is decided by. @throws AppError INVALID_PARAMETER_VALUE for a filter that is none */
export const policyOf = (row: PolicyRow): RegistrationPolicy => ({
  name: row.name,
  experimentIds: row.experiment_ids,
  conditions: parseFilter(row.filter, runRules),
  model: row.model,
  artifactPath: row.artifact_path,
})

/** Changes of registration policies, each with its audit row in one transaction. */
export const createManagePolicies = ({ database, clock }: Pick<RegistryDeps, 'database' | 'clock'>) => ({
  /** Makes a policy or replaces it. @throws AppError INVALID_PARAMETER_VALUE for a filter that is none, or one policy too many */
  async put(name: string, fields: PolicyFields, actor: Actor): Promise<PolicyRow> {
    parseFilter(fields.filter, runRules)
    return database.transaction(async (tx) => {
      const before = await findPolicy(tx, name)
      if (!before) await refuseTooMany(tx)
      const { enabled, experimentIds, filter, model, artifactPath } = fields
      const policy = { name, enabled, experiment_ids: experimentIds, filter, model, artifact_path: artifactPath, changed_by: actor.user }
      const row = await savePolicy(tx, policy, clock())
      const action = before ? 'update-registration-policy' : 'create-registration-policy'
      const from = before && describe(before)
      await appendAudit(tx, actor, clock(), { action, model: '', modelId: null, from, to: describe(row), details: { policy: name } })
      return row
    })
  },
  /** @throws AppError RESOURCE_DOES_NOT_EXIST */
  async remove(name: string, actor: Actor): Promise<void> {
    await database.transaction(async (tx) => {
      const before = await findPolicy(tx, name)
      if (!before || !(await deletePolicy(tx, name))) throw policyMissing(name)
      const record = { action: 'delete-registration-policy', model: '', modelId: null, from: describe(before), details: { policy: name } }
      await appendAudit(tx, actor, clock(), record)
    })
  },
})

async function refuseTooMany(tx: Parameters<typeof findPolicy>[0]): Promise<void> {
  const [row] = await tx.query<{ count: number }>('select count(*)::int as count from registration_policy')
  if ((row?.count ?? 0) < MAX_POLICIES) return
  throw new AppError(
    'INVALID_PARAMETER_VALUE',
    `There are ${MAX_POLICIES} registration policies, which is the most: delete one, or widen the filter of another`,
  )
}

const describe = ({ enabled, experiment_ids, filter, model, artifact_path }: PolicyRow): string =>
  JSON.stringify({ enabled, experimentIds: experiment_ids, filter, model, artifactPath: artifact_path })
