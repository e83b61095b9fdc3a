// Deliberately bad: a decision that reads files and asks the platform. `npm run check` fails unless this is refused.
import { readFileSync } from 'node:fs'
import { systemClock } from '@millrace/platform/clock.ts'

export const impure = () => [readFileSync('/etc/hostname'), systemClock()]
