import { Readable } from 'node:stream'
import type { Api } from '@millrace/contracts/client/api.ts'
import { TransientError } from '@millrace/platform/errors.ts'
import { pauseFor } from '@millrace/platform/events/signal.ts'
import type { ServiceClient } from '@millrace/platform/http/client.ts'

const UPLOAD_TRIES = 3
const UPLOAD_PAUSE_MS = 250

/** Tracking as the typed clients see it: signed calls, and uploads that are tried again where the way there failed. */
export const apiOver = (service: ServiceClient): Api => ({
  async call({ content, signal, ...call }) {
    const options = { ...call, ...(signal ? { signal } : {}) }
    if (!content) return service.call(options)
    for (let tried = 1; ; tried += 1) {
      try {
        const headers = { 'content-type': 'application/octet-stream', ...call.headers }
        return await service.call({ ...options, headers, stream: Readable.from(content()) })
      } catch (error) {
        if (!(error instanceof TransientError) || tried === UPLOAD_TRIES || signal?.aborted) throw error
        await pauseFor(UPLOAD_PAUSE_MS * tried, signal ?? new AbortController().signal)
      }
    }
  },
})
