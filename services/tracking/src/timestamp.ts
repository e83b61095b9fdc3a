const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Ms since the epoch as RFC 3339 in UTC; clients may send any integer, so that it is brought into the years that the format has. */
export const toTimestamp = (ms: number): string => new Date(Math.min(LAST, Math.max(0, ms))).toISOString()
