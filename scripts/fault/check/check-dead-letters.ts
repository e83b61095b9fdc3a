import { type Evidence, type Violation, violation } from './evidence.ts'

/** I9: the dead-letter topics hold exactly the bad records that were put on the log, each once or, where it was delivered again, more often. */
export function checkDeadLetters({ poison, deadLetters }: Evidence): Violation[] {
  const found = new Set(deadLetters)
  const injected = new Set(poison)
  return [
    ...poison.filter((name) => !found.has(name)).map((name) => violation('I9', `the bad record ${name} is in no dead-letter topic`)),
    ...[...found].filter((name) => !injected.has(name)).map((name) => violation('I9', `the dead letter ${name} was no bad record`)),
  ]
}
