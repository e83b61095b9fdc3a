import { readlinkSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { answerCall } from './answer-calls.ts'
import type { CallMessage, Methods, ReadyMessage } from './calls.ts'

/** Answers the main thread's calls; says that it is ready first. */
export function serveThread(methods: Methods): void {
  const port = parentPort
  if (!port) throw new Error('this file is the entry of a worker thread')
  port.on('message', (call: CallMessage) => {
    void answerCall(methods, call).then(({ answer, transfer }) => port.postMessage(answer, [...transfer]))
  })
  port.postMessage({ ready: true, systemId: readSystemId() } satisfies ReadyMessage)
}

/** What the operating system calls this thread; null where it does not say. */
function readSystemId(): number | null {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1)) || null
  } catch {
    return null
  }
}
