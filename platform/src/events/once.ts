import type { Clock } from '../clock.ts'
import type { Once } from './handler.ts'

interface StoredAnswer {
  readonly answer: { readonly value?: unknown } | null
}

/**
 * Keeps the answers in the caller's transaction: two callers with one key queue up at the primary key, and the second gets the first one's answer. A
 * transaction that rolls back leaves the key free.
 */
export function createOnce({ clock }: { clock: Clock }): Once {
  return async function once<Answer>(tx: Parameters<Once>[0], key: string, work: () => Promise<Answer>): Promise<Answer> {
    await tx.query('insert into idempotency (key, created_at) values ($1, $2) on conflict do nothing', [key, clock()])
    const [stored] = await tx.query<StoredAnswer>('select answer from idempotency where key = $1 for update', [key])
    // The key names one operation, so what is stored under it is what that operation answers.
    if (stored?.answer) return stored.answer.value as Answer
    const answer = await work()
    await tx.query('update idempotency set answer = $2 where key = $1', [key, JSON.stringify({ value: answer })])
    return answer
  }
}
