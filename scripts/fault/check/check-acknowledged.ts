import { type Evidence, type Violation, violation } from './evidence.ts'

/** I2: what a client was told is done is there; a call without an answer may be there or not. */
export const checkAcknowledged = ({ client, stored }: Evidence): Violation[] =>
  client.flatMap((record) =>
    record.kind === 'write' && record.outcome === 'acked' && !stored.has(record.key) ? [violation('I2', `${record.key} was acknowledged and is lost`)] : [],
  )
