import { releaseRequest, sealRequest, sealResponse } from '@millrace/contracts/http/tracking.ts'
import { ok, type Route, route } from '@millrace/platform/http/route.ts'
import { createReleaseArtifact, createSealArtifact } from '../artifacts/seal-artifact.ts'
import type { TrackingParts } from '../deps.ts'

const internal = { method: 'POST', access: 'internal', errors: 'problem' } as const

/** For the registry: what it serves must neither change nor vanish. */
export function sealRoutes(deps: TrackingParts): Route[] {
  const seal = createSealArtifact(deps)
  const release = createReleaseArtifact(deps)
  return [
    route({
      ...internal,
      path: '/api/v1/artifacts/manifests',
      summary: 'Seals an artifact and pins it for a holder; again is the same.',
      body: sealRequest,
      response: sealResponse,
      handle: async ({ body, signal }) => ok(await seal({ ...body, signal })),
    }),
    route({
      ...internal,
      path: '/api/v1/artifacts/releases',
      summary: "Ends a holder's pin.",
      body: releaseRequest,
      handle: async ({ body }) => {
        await release(body.sha256, body.holder)
        return ok({})
      },
    }),
  ]
}
