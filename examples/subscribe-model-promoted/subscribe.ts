import { type EachMessagePayload, Kafka, logLevel } from 'kafkajs'

const { KAFKA_BROKERS = 'localhost:9092', GROUP = 'my-team.promotions', TOPIC = 'millrace.model-events.v1' } = process.env
const consumer = new Kafka({ brokers: KAFKA_BROKERS.split(','), logLevel: logLevel.ERROR }).consumer({ groupId: GROUP, allowAutoTopicCreation: false })
const generations = new Map<string, number>()
async function onMessage({ message: { headers, value, offset } }: EachMessagePayload): Promise<void> {
  if (String(headers?.['ce_type']) !== 'io.millrace.model.promoted.v1') return // the topic carries other events, and more kinds of them later
  try {
    const { model, version, generation, reason } = JSON.parse(String(value)) // take what you need: fields may be added
    if (generation <= (generations.get(model) ?? 0)) return // an event may come more than once
    generations.set(model, generation)
    console.log(`${model}: version ${version} serves from generation ${generation} on (${reason})`)
  } catch (error) {
    console.error(`offset ${offset} cannot be read`, error) // thrown on, it would end the consumer for good
  }
}
process.once('SIGTERM', () => consumer.disconnect())
consumer.on('consumer.crash', ({ payload }) => payload.restart || process.exit(1)) // what started this process starts it again
await consumer.connect()
await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
await consumer.run({ eachMessage: onMessage })
