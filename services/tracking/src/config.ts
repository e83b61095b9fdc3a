import { z } from 'zod'
import { type BucketPlace, parseBucketUris } from './domain/bucket-place.ts'

const GIBIBYTE = 1024 ** 3

/** Settings of the tracking service. */
export const trackingConfig = z.object({
  /** Largest artifact in bytes. */
  TRACKING_MAX_ARTIFACT_BYTES: z.coerce
    .number()
    .int()
    .min(1)
    .default(16 * GIBIBYTE),
  /** Whether param values beyond 6000 and tag values beyond 8000 characters are cut (as MLflow does by default) or refused. */
  TRACKING_TRUNCATE_LONG_VALUES: z.stringbool().default(true),
  /** How long content that nothing refers to is kept, in hours. */
  TRACKING_ARTIFACT_GRACE_HOURS: z.coerce.number().min(0).max(8760).default(24),
  /** Pause between two looks for content to collect, in minutes. */
  TRACKING_COLLECT_EVERY_MINUTES: z.coerce.number().min(0.01).max(1440).default(60),
  /** Address of the gateway as clients reach it, such as `https://models.example.org`. Unless set, what the gateway was called by, and plain HTTP or HTTPS as it came in there. */
  TRACKING_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Address of the S3 store as clients reach it: large files then go there straight, by signed addresses. Needless for Amazon's own. */
  TRACKING_S3_PUBLIC_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  /** Where experiments may keep their artifacts outside of this service, such as `s3://bucket/folder`, separated by commas. None unless set: the server reads nowhere else. */
  TRACKING_ARTIFACT_ROOTS: z
    .string()
    .default('')
    .transform((text, context): readonly BucketPlace[] => {
      const roots = parseBucketUris(text)
      if (roots) return roots
      context.addIssue({ code: 'custom', message: 'expected one or more s3://<bucket>/<folder>, separated by commas' })
      return z.NEVER
    }),
})
export type TrackingConfig = z.infer<typeof trackingConfig>
