import { concurrencyContract } from './concurrency.contract.ts'
import { startTracking } from './testing/start-tracking.ts'

concurrencyContract(() => startTracking())
