import { eventCatalogue } from '@millrace/contracts/events/catalogue.ts'
import type { EventDefinition } from '@millrace/contracts/events/event.ts'
import { subscriptions } from '@millrace/contracts/events/subscriptions.ts'
import { type TopicName, topicNames, topics } from '@millrace/contracts/events/topics.ts'
import { messageOf } from './asyncapi-message.ts'

const BINDING = '0.5.0'
type Node = Readonly<Record<string, unknown>>

/** `millrace.model-events.v1` → `model-events`. */
const channelIdOf = (topic: TopicName): string => topic.slice('millrace.'.length, topic.lastIndexOf('.v'))
const on = (topic: TopicName): readonly EventDefinition[] => eventCatalogue.filter((definition) => definition.topic === topic)

function channelOf(name: TopicName): Node {
  const { cleanup, retentionMs, partitions, writer, key } = topics[name]
  return {
    address: name,
    title: name,
    description: `Written by ${writer} alone. Key: ${key}. Records that a consumer cannot read are put on ${name}.dlq, bytes and headers unchanged.`,
    messages: Object.fromEntries(on(name).map((definition) => [definition.name, { $ref: `#/components/messages/${definition.name}` }])),
    bindings: {
      kafka: {
        topic: name,
        partitions,
        topicConfiguration: { 'cleanup.policy': [cleanup], 'retention.ms': retentionMs ?? -1 },
        bindingVersion: BINDING,
      },
    },
  }
}

function operationOf(action: 'send' | 'receive', service: string, definitions: readonly EventDefinition[], topic: TopicName): Node {
  const channel = `#/channels/${channelIdOf(topic)}`
  return {
    action,
    title: `${service} ${action}s ${definitions.map(({ name }) => name).join(', ')}`,
    channel: { $ref: channel },
    tags: [{ name: service }],
    messages: definitions.map(({ name }) => ({ $ref: `${channel}/messages/${name}` })),
  }
}

function sends(): [string, Node][] {
  return topicNames.map((topic) => {
    const { writer } = topics[topic]
    return [`${writer}-sends-${channelIdOf(topic)}`, operationOf('send', writer, on(topic), topic)]
  })
}

function receives(): [string, Node][] {
  return subscriptions.flatMap(({ service, group, reads }) =>
    [...Map.groupBy(reads, ({ topic }) => topic)].map(([topic, definitions]): [string, Node] => {
      const groupId = group === null ? { type: 'string', description: 'A group of its own per process and start.' } : { type: 'string', enum: [group] }
      const operation = operationOf('receive', service, definitions, topic)
      return [`${group ?? service}-receives-${channelIdOf(topic)}`, { ...operation, bindings: { kafka: { groupId, bindingVersion: BINDING } } }]
    }),
  )
}

/** AsyncAPI 3.0.0: every topic, its messages as binary CloudEvents, and who sends and receives them. */
export function asyncapiDocument(): Node {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Millrace events',
      version: '1.0.0',
      description: [
        'What happens to runs, models and their traffic, as CloudEvents 1.0 in binary mode on Kafka.',
        'Within a major version only optional fields are added: ignore fields and types that you do not know, and treat `x-known-values` as open.',
        'An event may come more than once: the pair of `ce_source` and `ce_id` is the same each time.',
      ].join(' '),
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      kafka: {
        host: '{brokers}',
        protocol: 'kafka',
        description: 'The cluster that Millrace was given as KAFKA_BROKERS.',
        variables: { brokers: { default: 'localhost:9092', description: 'host:port of a broker' } },
      },
    },
    channels: Object.fromEntries(topicNames.map((name) => [channelIdOf(name), channelOf(name)])),
    operations: Object.fromEntries([...sends(), ...receives()]),
    components: { messages: Object.fromEntries(eventCatalogue.map((definition) => [definition.name, messageOf(definition)])) },
  }
}
