import type { DataOf, Event, EventDefinition } from '@millrace/contracts/events/event.ts'
import type { z } from 'zod'
import type { Sql } from '../sql/sql.ts'

/** What a handler made of an event. Throwing means: infrastructure is in the way, try again. */
export type Outcome = { kind: 'done' } | { kind: 'skip'; reason: string } | { kind: 'dead-letter'; reason: string }

export const done: Outcome = { kind: 'done' }
export const skip = (reason: string): Outcome => ({ kind: 'skip', reason })
export const deadLetter = (reason: string): Outcome => ({ kind: 'dead-letter', reason })

/** Runs inside the transaction that also writes the inbox row; it uses `tx` alone. */
export type Handle<Data> = (event: Event<Data>, tx: Sql) => Promise<Outcome>

export interface EventHandler {
  readonly definition: EventDefinition
  readonly handle: Handle<unknown>
}

/** Pairs a definition with its handler; the data was validated against the definition's schema before `handle` sees it. */
export function on<Data extends z.ZodType>(definition: EventDefinition<Data>, handle: Handle<z.infer<Data>>): EventHandler {
  return { definition, handle: (event, tx) => handle({ ...event, data: definition.data.parse(event.data) }, tx) }
}

export interface NewEvent<Definition extends EventDefinition = EventDefinition> {
  readonly definition: Definition
  /** The aggregate's id: CloudEvents subject, partition key and record key. */
  readonly subject: string
  readonly data: DataOf<Definition>
}

/**
 * Writes the event to the outbox in the caller's transaction; the relay sends it after the commit. Call it after the aggregate's row is locked, so that the
 * order in the outbox is the order of commits per key. Data that does not match the definition is a bug and throws.
 */
export type Publish = <Definition extends EventDefinition>(tx: Sql, event: NewEvent<Definition>) => Promise<void>

/**
 * Runs `work` once per key: a repeated key gets the stored answer, before anything else is looked at, so that a caller who lost the
 * reply and asks again is not told that the world has moved on. The answer must survive JSON.
 */
export type Once = <Answer>(tx: Sql, key: string, work: () => Promise<Answer>) => Promise<Answer>
