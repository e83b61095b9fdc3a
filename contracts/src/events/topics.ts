/** How a topic is created: partitions and retention, as the writers and readers of it rely on them. */
export interface Topic {
  readonly cleanup: 'delete' | 'compact'
  /** Milliseconds a record is kept; null keeps it for ever. */
  readonly retentionMs: number | null
  readonly partitions: number
  /** The one service that writes it. */
  readonly writer: string
}

/** A topic of the catalogue. */
export interface EventTopic extends Topic {
  /** What the record's key is: records with one key keep their order. */
  readonly key: string
}

const days = (count: number): number => count * 86_400_000

export const topics = {
  'millrace.run-events.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 6, key: 'run id', writer: 'tracking' },
  'millrace.model-events.v1': { cleanup: 'delete', retentionMs: null, partitions: 3, key: 'model', writer: 'registry' },
  'millrace.serving-state.v1': { cleanup: 'compact', retentionMs: null, partitions: 1, key: 'model', writer: 'registry' },
  'millrace.promotion-events.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 3, key: 'model', writer: 'promoter' },
  'millrace.serving-events.v1': { cleanup: 'delete', retentionMs: days(7), partitions: 3, key: 'model', writer: 'inference' },
  'millrace.inference-log.v1': { cleanup: 'delete', retentionMs: days(3), partitions: 6, key: 'model/prediction id', writer: 'inference' },
  'millrace.label-events.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 6, key: 'model/prediction id', writer: 'drift-monitor' },
  'millrace.drift-events.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 3, key: 'model', writer: 'drift-monitor' },
  'millrace.training-events.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 3, key: 'job id', writer: 'trainer' },
  'millrace.openlineage.v1': { cleanup: 'delete', retentionMs: days(30), partitions: 3, key: 'run:job namespace/job name', writer: 'registry' },
} as const satisfies Record<string, EventTopic>

export type TopicName = keyof typeof topics
export const topicNames = Object.keys(topics).filter((name): name is TopicName => name in topics)

/** Where consumers put what they cannot read: original key, value and headers, one partition, 14 days. */
export const deadLetterTopicOf = (topic: string): string => `${topic}.dlq`
export const deadLetterTopic: Topic = { cleanup: 'delete', retentionMs: days(14), partitions: 1, writer: 'consumers of the topic' }
