import { randomUUID } from 'node:crypto'
import { eventLogContract } from './event-log.contract.ts'
import { createMemoryLog } from './memory.ts'

eventLogContract('the memory log', async () => ({
  eventLog: createMemoryLog(),
  newTopic: async () => `topic-${randomUUID()}`,
  close: async () => undefined,
}))
