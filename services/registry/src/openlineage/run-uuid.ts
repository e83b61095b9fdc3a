import { createHash } from 'node:crypto'

/**
 * OpenLineage's id of a run: MLflow's own where that is a UUID without its dashes, else one made of its name. A run that ended before and was resumed is
 * another run there, because nothing may follow the end of one.
 */
export function runUuid(runId: string, finishesBefore: number): string {
  if (finishesBefore === 0 && /^[0-9a-f]{32}$/.test(runId)) return dashed(runId)
  return nameUuid(`run:${runId}:${finishesBefore}`)
}

/** A UUID made of a name: version 8 of RFC 9562, of the name's SHA-256. */
export function nameUuid(name: string): string {
  const hex = createHash('sha256').update(`millrace:${name}`).digest('hex')
  return dashed(`${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`)
}

const dashed = (hex: string): string => [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
