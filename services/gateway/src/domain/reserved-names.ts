import { upstreamNames } from './route-table.ts'

/** Names that would pass for somebody else in audit trails, and `*`, which stands for everybody in grants. */
const RESERVED: readonly string[] = [...upstreamNames, 'gateway', 'admin-key', 'local-admin', 'anonymous', '*']

export const isReserved = (name: string): boolean => RESERVED.includes(name.toLowerCase())
