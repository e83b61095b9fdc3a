import { randomUUID } from 'node:crypto'
import { silentLog } from '../../log.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { eventLogContract } from '../event-log.contract.ts'
import { createClient, type KafkaConnection } from './connection.ts'
import { createKafkaLog } from './kafka-log.ts'
import { withAdmin } from './offsets.ts'
import { defaultKafkaTiming } from './timing.ts'

describeWith('kafka', ({ KAFKA_BROKERS = '' }) => {
  const connection: KafkaConnection = { brokers: KAFKA_BROKERS.split(','), clientId: 'tests', tls: null, sasl: null }
  const client = createClient(connection, silentLog, defaultKafkaTiming)

  async function newTopic(cleanup: 'delete' | 'compact'): Promise<string> {
    const topic = `test-${randomUUID()}`
    const configEntries = [{ name: 'cleanup.policy', value: cleanup }]
    await withAdmin(client, (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }], waitForLeaders: true }))
    return topic
  }

  eventLogContract('the Kafka log', async () => {
    const onFatal = (error: Error): void => {
      throw error
    }
    const { value: eventLog, stop } = createKafkaLog({ connection, log: silentLog, onFatal })
    return { eventLog, newTopic, close: stop }
  })
})
