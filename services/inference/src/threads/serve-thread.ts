import { parentPort } from 'node:worker_threads'
import { answerCall } from './answer-calls.ts'
import type { CallMessage, Methods } from './calls.ts'

/** Answers the main thread's calls; says that it is ready first. */
export function serveThread(methods: Methods): void {
  const port = parentPort
  if (!port) throw new Error('this file is the entry of a worker thread')
  port.on('message', (call: CallMessage) => {
    void answerCall(methods, call).then(({ answer, transfer }) => port.postMessage(answer, [...transfer]))
  })
  port.postMessage('ready')
}
