import { z } from 'zod'

const samplers = ['always_on', 'always_off', 'traceidratio', 'parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const
const collector = z.url({ protocol: /^https?$/ }).optional()

/** By the names that OpenTelemetry gives them. The exporter itself reads `OTEL_EXPORTER_OTLP_HEADERS` and its other options, which are not listed here. */
export const otlpSettings = {
  /** Traces go to `/v1/traces` below it. Neither of the two endpoints: no span is made. */
  OTEL_EXPORTER_OTLP_ENDPOINT: collector,
  /** Taken as it is, and before the other one. */
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector,
  /** The service's own name unless set. */
  OTEL_SERVICE_NAME: z.string().min(1).max(200).optional(),
  OTEL_TRACES_SAMPLER: z.enum(samplers).default('parentbased_traceidratio'),
  /** Share of the traces that begin here, for the samplers of a ratio. */
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  OTEL_SDK_DISABLED: z.stringbool().default(false),
}

export type OtlpConfig = z.infer<z.ZodObject<typeof otlpSettings>>

/** Where traces go; null when they go nowhere. */
export function tracesUrlOf(config: OtlpConfig): string | null {
  if (config.OTEL_SDK_DISABLED) return null
  if (config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return config.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT
  return config.OTEL_EXPORTER_OTLP_ENDPOINT ? `${config.OTEL_EXPORTER_OTLP_ENDPOINT.replace(/\/+$/, '')}/v1/traces` : null
}
