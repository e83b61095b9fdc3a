import { messageOf } from '@millrace/platform/errors.ts'
import { z } from 'zod'

type Command = (input: unknown) => unknown

const message = z.object({ id: z.number(), command: z.string(), input: z.unknown().optional() })

/** What the process that started this one asks for, by name; several may be in progress. Ends with that process, or when it lets go. */
export function serveParent(commands: Readonly<Record<string, Command>>, stop: () => Promise<void> = async () => undefined): void {
  const send = (answer: object): void => void process.send?.(answer)
  const obey = async (raw: unknown): Promise<void> => {
    const { id, command, input } = message.parse(raw)
    try {
      send({ id, result: await commands[command]?.(input) })
    } catch (error) {
      send({ id, error: messageOf(error) })
    }
  }
  process.on('message', (raw) => void obey(raw))
  process.on('disconnect', () => void stop().finally(() => process.exit()))
  // Ctrl-C reaches every process of the terminal; the parent decides when this one ends.
  process.on('SIGINT', () => undefined)
  send({ id: 0 })
}
