import { silentLog } from '../../log.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { eventLogContract } from '../event-log.contract.ts'
import { connectionTo, newTopic } from './broker.fixture.ts'
import { createKafkaLog } from './kafka-log.ts'

describeWith('kafka', ({ KAFKA_BROKERS = '' }) => {
  const connection = connectionTo(KAFKA_BROKERS)
  eventLogContract('the Kafka log', async () => {
    const onFatal = (error: Error): void => {
      throw error
    }
    const { value: eventLog, stop } = createKafkaLog({ connection, log: silentLog, onFatal })
    return { eventLog, newTopic: (cleanup) => newTopic(connection, 1, cleanup), close: stop }
  })
})
