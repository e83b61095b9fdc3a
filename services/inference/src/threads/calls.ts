import type { Tensor } from '../domain/tensor.ts'

/** A call from the main thread to a worker thread or child process, and its answer. */
export interface CallMessage {
  readonly id: number
  readonly method: string
  readonly argument: unknown
}

/** The first message of a worker thread. */
export interface ReadyMessage {
  readonly ready: true
  /** The operating system's number of the thread. */
  readonly systemId: number | null
}

/** What a process that tried a model found. */
export interface Probed {
  /** That one session took; at least the size of its files. */
  readonly memoryBytes: number
}

export type AnswerMessage =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string | null; readonly message: string; readonly details: Readonly<Record<string, unknown>> }

export type Methods = Readonly<Record<string, (argument: never) => Promise<{ result: unknown; transfer?: readonly ArrayBuffer[] }>>>

/** What a model is tried on: its own logged example, or zeros. */
export interface Trial {
  readonly example: readonly Tensor[]
  readonly logged: boolean
}
