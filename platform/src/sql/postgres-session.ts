import type { Pool } from 'pg'
import { explainPostgresError, isConnectionLost } from './postgres-errors.ts'
import type { PreparedNames } from './prepared-names.ts'

/** One connection, borrowed. */
export interface Session {
  /** The rows and the command tag of the last statement in the text. @throws the errors of the `Database` port */
  run(text: string, values?: readonly unknown[]): Promise<{ rows: object[]; command: string }>
  /** Gives the connection back, or closes one that was lost. */
  end(): void
}

/** Takes a connection of the pool. @throws TransientError when none is free in time, or the server cannot be reached */
export async function borrowSession(pool: Pool, prepared: PreparedNames): Promise<Session> {
  const client = await pool.connect().catch((error: unknown) => {
    throw explainPostgresError(error, '')
  })
  let lost = false
  return {
    async run(text, values) {
      try {
        const name = values && values.length > 0 ? prepared.nameOf(text) : undefined
        const result = await client.query({ text, ...(values ? { values: [...values] } : {}), ...(name === undefined ? {} : { name }) })
        // Several statements in one text give an array of results.
        const { rows = [], command = '' } = [result].flat().at(-1) ?? {}
        return { rows, command }
      } catch (error) {
        lost ||= isConnectionLost(error)
        throw explainPostgresError(error, text)
      }
    },
    end: () => client.release(lost),
  }
}
