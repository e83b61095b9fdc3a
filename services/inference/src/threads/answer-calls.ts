import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { AnswerMessage, CallMessage, Methods } from './calls.ts'

/** The answering side: runs one call and makes its answer, a refusal with its code. Never rejects. */
export async function answerCall(
  methods: Methods,
  { id, method, argument }: CallMessage,
): Promise<{ answer: AnswerMessage; transfer: readonly ArrayBuffer[] }> {
  try {
    const run = methods[method]
    if (!run) throw new Error(`there is no method ${method}`)
    // The cast is sound: both sides of a channel are written against the same argument types, beside each other in this folder.
    const { result, transfer = [] } = await run(argument as never)
    return { answer: { id, ok: true, result }, transfer }
  } catch (error) {
    const code = error instanceof AppError ? error.code : null
    const details = error instanceof AppError ? error.details : {}
    return { answer: { id, ok: false, code, message: messageOf(error), details }, transfer: [] }
  }
}
