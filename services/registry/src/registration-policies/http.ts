import { registrationPolicies, registrationPolicy, registrationPolicyRequest } from '@millrace/contracts/http/registry.ts'
import { noContent, ok, type Route, route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import type { RegistryDeps } from '../deps.ts'
import { isStorable } from '../domain/names.ts'
import { problemOfTemplate } from '../domain/registration-policy.ts'
import { isArtifactPath } from '../domain/source.ts'
import { createManagePolicies, policyMissing } from './manage-policies.ts'
import { findPolicy, listPolicies, type PolicyRow } from './store.ts'

const path = '/api/v1/registration-policies'
const params = z.strictObject({ name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, "1 to 63 of letters, digits, '.', '_' and '-'") })

const body = registrationPolicyRequest.superRefine(({ model, artifactPath, filter }, context) => {
  const problem = problemOfTemplate(model)
  if (problem) context.addIssue({ code: 'custom', path: ['model'], message: problem })
  if (artifactPath !== null && !isArtifactPath(artifactPath)) {
    context.addIssue({ code: 'custom', path: ['artifactPath'], message: "expected a relative path among the run's artifacts such as 'model'" })
  }
  if (!isStorable(filter)) context.addIssue({ code: 'custom', path: ['filter'], message: 'a character cannot be stored (NUL or half a surrogate pair)' })
})

const present = (row: PolicyRow) => ({
  name: row.name,
  enabled: row.enabled,
  experimentIds: [...row.experiment_ids],
  filter: row.filter,
  model: row.model,
  artifactPath: row.artifact_path,
  changedBy: row.changed_by,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
})

/** Policies that register finished runs: `/api/v1/registration-policies`. Registering is no promotion, so `write` is enough. */
export function createPolicyRoutes(deps: Pick<RegistryDeps, 'database' | 'clock'>): Route[] {
  const manage = createManagePolicies(deps)
  return [
    route({
      method: 'GET',
      path,
      access: 'read',
      summary: 'Policies that register finished runs, by name.',
      response: registrationPolicies,
      handle: async () => ok({ policies: (await listPolicies(deps.database)).map(present) }),
    }),
    route({
      method: 'GET',
      path: `${path}/:name`,
      access: 'read',
      summary: 'A policy that registers finished runs.',
      params,
      response: registrationPolicy,
      handle: async (request) => {
        const row = await findPolicy(deps.database, request.params.name)
        if (!row) throw policyMissing(request.params.name)
        return ok(present(row))
      },
    }),
    route({
      method: 'PUT',
      path: `${path}/:name`,
      access: 'write',
      summary: 'Makes or replaces a policy: runs that match it when they end FINISHED are registered, once per model and source.',
      params,
      body,
      response: registrationPolicy,
      handle: async (request) => ok(present(await manage.put(request.params.name, request.body, actorOf(request)))),
    }),
    route({
      method: 'DELETE',
      path: `${path}/:name`,
      access: 'write',
      summary: 'Deletes a policy. What it registered stays.',
      params,
      handle: async (request) => {
        await manage.remove(request.params.name, actorOf(request))
        return noContent
      },
    }),
  ]
}
