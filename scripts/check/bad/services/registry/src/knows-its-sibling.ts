// Deliberately bad: a service that imports another one, and chooses its own adapter. `npm run check` fails unless both are refused.
import { openPglite } from '@millrace/platform/sql/pglite.ts'
import { createTracking } from '@millrace/tracking'

export const coupled = [openPglite, createTracking]
