import { AsyncLocalStorage } from 'node:async_hooks'

const scope = new AsyncLocalStorage<string>()
const ACCEPTED = /^[A-Za-z0-9._-]{1,128}$/

/** Whether a caller's `x-request-id` may go into logs and answers. */
export const isRequestId = (value: unknown): value is string => typeof value === 'string' && ACCEPTED.test(value)

export const withRequestId = <T>(requestId: string, work: () => T): T => scope.run(requestId, work)

/** The id of the request in hand, forwarded on calls to siblings; null outside of one. */
export const currentRequestId = (): string | null => scope.getStore() ?? null
