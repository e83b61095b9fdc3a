/** A call from the main thread to a worker thread or child process, and its answer. */
export interface CallMessage {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

export type AnswerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string | null; readonly message: string; readonly details: Readonly<Record<string, unknown>> }

export type Methods = Readonly<Record<string, (argument: never) => Promise<{ result: unknown; transfer?: readonly ArrayBuffer[] }>>>
