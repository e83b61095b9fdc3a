import type { Started } from '../component.ts'
import type { Log } from '../log.ts'
import { type OtlpConfig, tracesUrlOf } from '../telemetry/otlp-settings.ts'

interface Process {
  readonly service: string
  readonly instance: string
  readonly log: Log
}

/** Sends spans where the settings say. Without an endpoint nothing of OpenTelemetry is even loaded: it would cost 0.1 s and 40 MB. */
export async function openTracing(config: OtlpConfig, { service, instance, log }: Process): Promise<Started<null>> {
  const url = tracesUrlOf(config)
  if (url === null) return { value: null, stop: () => Promise.resolve() }
  const { startOtlp } = await import('../telemetry/otlp.ts')
  const { OTEL_SERVICE_NAME: name = service, OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: ratio } = config
  return startOtlp({ url, service: name, instance, sampler, ratio, log })
}
