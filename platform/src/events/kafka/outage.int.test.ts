import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog } from '../../log.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { until } from '../../testing/until.ts'
import type { DeliveredRecord } from '../event-log.ts'
import { newTopic, type OwnBroker, startOwnBroker, textRecord } from './broker.fixture.ts'
import { createKafkaLog } from './kafka-log.ts'

describeWith('kafka', () => {
  let broker: OwnBroker
  beforeAll(async () => {
    broker = await startOwnBroker()
  })
  afterAll(() => broker.remove())

  test('a broker that is away for 20 s costs nothing but time', async () => {
    const topic = await newTopic(broker.connection, 3)
    const { value: log, stop } = createKafkaLog({
      connection: broker.connection,
      log: silentLog,
      // A loaded machine may need long to start the broker again.
      timing: { publishTimeoutMs: 120_000 },
      onFatal: (error) => expect.unreachable(error.message),
    })
    const group = `group-${randomUUID()}`
    const [shared, broadcast]: [string[], string[]] = [[], []]
    const into = (target: string[]) => async (record: DeliveredRecord) => void target.push(`${record.key}:${record.value}`)
    await log.subscribe({ group, topics: [topic], receive: into(shared) })
    await log.broadcast({ topics: [topic], receive: into(broadcast) })
    await log.publish(topic, [textRecord('a', '1'), textRecord('b', '1'), textRecord('c', '1')])
    await until(() => shared.length === 3 && broadcast.length === 3)
    await broker.down()
    const pending = log.publish(topic, [textRecord('a', '2')])
    await pause(20_000)
    await broker.up()
    const back = performance.now()
    await pending
    const sent = performance.now()
    await log.publish(topic, [textRecord('b', '2'), textRecord('c', '2')])
    await until(() => new Set(shared).size === 6 && broadcast.length === 6)
    process.stdout.write(`after the broker was back: pending send ${Math.round(sent - back)} ms, consumers ${Math.round(performance.now() - back)} ms\n`)
    expect(new Set(shared)).toEqual(new Set(['a:1', 'b:1', 'c:1', 'a:2', 'b:2', 'c:2']))
    expect(broadcast.toSorted()).toEqual(['a:1', 'a:2', 'b:1', 'b:2', 'c:1', 'c:2'])
    await until(async () => (await log.lag(group, [topic]))[topic] === 0)
    await stop()
  })
})
