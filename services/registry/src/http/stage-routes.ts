import { transitionExtras } from '@millrace/contracts/http/registry.ts'
import { ok, type Route } from '@millrace/platform/http/route.ts'
import { z } from 'zod'
import { actorOf } from '../actor.ts'
import type { UseCases } from '../use-cases.ts'
import { idempotencyKeyOf } from './idempotency-key.ts'
import { flag, name, stage, version } from './mlflow-fields.ts'
import { mlflowRoute } from './mlflow-route.ts'

const nothingSkipped = (): readonly string[] => []

/** MLflow's stage transitions, with what Millrace adds to make them safe to repeat and to decide on. */
export const createStageRoutes = ({ askStanding, transitionStage }: UseCases): Route[] =>
  mlflowRoute({
    method: 'POST',
    path: 'model-versions/transition-stage',
    access: 'write',
    summary: 'Moves a version to a stage. To Production it needs the right to promote, and pods reload.',
    input: z.looseObject({ name, version, stage, archive_existing_versions: flag, ...transitionExtras }),
    handle: async (input, request) => {
      const promotes = input.stage === 'Production'
      const answer = await transitionStage({
        model: input.name,
        version: input.version,
        stage: input.stage,
        archiveExisting: input.archive_existing_versions,
        actor: actorOf(request),
        reason: input.reason ?? '',
        decisionId: input.decision_id ?? `direct:${request.requestId}`,
        idempotencyKey: idempotencyKeyOf(request.headers),
        expectedGeneration: input.expected_generation ?? null,
        skippedGates: promotes ? await askStanding(input.name, input.version, request.caller) : nothingSkipped,
      })
      return ok(answer)
    },
  })
