import { expect, test } from 'vitest'
import { z } from 'zod'
import { readConfig } from '../../config.ts'
import { silentLog } from '../../log.ts'
import { describeWith } from '../../testing/real-infrastructure.ts'
import { connectionTo, newTopic, textRecord } from './broker.fixture.ts'
import { createKafkaLog } from './kafka-log.ts'
import { connectionFrom, kafkaSettings } from './settings.ts'

describeWith('kafka', ({ KAFKA_BROKERS = '', KAFKA_SECURE_BROKERS, KAFKA_SECURE_CA_FILE, KAFKA_SECURE_USERNAME, KAFKA_SECURE_PASSWORD }) => {
  const settings = (overrides: Record<string, string | undefined>) =>
    readConfig(z.object(kafkaSettings), {
      KAFKA_BROKERS: KAFKA_SECURE_BROKERS,
      KAFKA_TLS: 'true',
      KAFKA_CA_FILE: KAFKA_SECURE_CA_FILE,
      KAFKA_USERNAME: KAFKA_SECURE_USERNAME,
      KAFKA_PASSWORD: KAFKA_SECURE_PASSWORD,
      ...overrides,
    })

  test.each(['plain', 'scram-sha-256', 'scram-sha-512'])('speaks TLS and signs in with %s', async (mechanism) => {
    const topic = await newTopic(connectionTo(KAFKA_BROKERS), 1)
    const connection = connectionFrom(settings({ KAFKA_SASL_MECHANISM: mechanism }), 'secure')
    const { value: log, stop } = createKafkaLog({ connection, log: silentLog, onFatal: (error) => expect.unreachable(error.message) })
    await log.publish(topic, [textRecord('k', 'v')])
    expect((await log.readToEnd(topic)).map(({ value }) => String(value))).toEqual(['v'])
    await stop()
  })

  test.each([
    ['a wrong password', { KAFKA_PASSWORD: 'wrong', KAFKA_SASL_MECHANISM: 'scram-sha-512' }],
    ['a certificate that nobody vouches for', { KAFKA_CA_FILE: undefined, KAFKA_SASL_MECHANISM: 'scram-sha-512' }],
  ])('is refused with %s', async (_what, overrides) => {
    const topic = await newTopic(connectionTo(KAFKA_BROKERS), 1)
    const connection = connectionFrom(settings(overrides), 'secure')
    const { value: log, stop } = createKafkaLog({
      connection,
      log: silentLog,
      timing: { publishTimeoutMs: 2000 },
      onFatal: (error) => expect.unreachable(error.message),
    })
    await expect(log.publish(topic, [textRecord('k', 'v')])).rejects.toThrow()
    await stop()
  })
})
