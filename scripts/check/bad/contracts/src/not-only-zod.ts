// Deliberately bad: a contract that needs the platform. `npm run check` fails unless this is refused.
import { systemClock } from '@millrace/platform/clock.ts'

export const now = systemClock
