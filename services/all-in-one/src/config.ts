import { resolve } from 'node:path'
import { z } from 'zod'

/** Settings of the all-in-one host; every service adds its own. */
export const hostConfig = z.object({
  /** Port of the gateway, the one public door. */
  PORT: z.coerce.number().int().min(1).max(65_535).default(8080),
  /** Address of the gateway. Anything but loopback needs MILLRACE_ADMIN_KEY or an API key. */
  HOST: z.string().min(1).default('127.0.0.1'),
  /** A key with every right. Where the gateway asks for keys, the sample pipeline, the tour and `status` use it. */
  MILLRACE_ADMIN_KEY: z.string().min(32).max(512).optional(),
  /** Where everything lives: database, artifacts, data sets, logs. */
  MILLRACE_DATA: z
    .string()
    .min(1)
    .default('.millrace')
    .transform((path) => resolve(path)),
  /** `true` leaves an empty Millrace empty: no sample model is trained. */
  MILLRACE_SKIP_SAMPLE: z.stringbool().default(false),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
})
