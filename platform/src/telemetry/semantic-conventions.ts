/** Attribute names of OpenTelemetry's semantic conventions 1.44; those of messaging are in development and will be renamed, so they stand here alone. */
export const ATTRIBUTES = {
  errorType: 'error.type',
  httpMethod: 'http.request.method',
  httpRoute: 'http.route',
  httpStatus: 'http.response.status_code',
  urlPath: 'url.path',
  httpResend: 'http.request.resend_count',
  serverAddress: 'server.address',
  messagingSystem: 'messaging.system',
  messagingOperation: 'messaging.operation.name',
  messagingOperationType: 'messaging.operation.type',
  messagingDestination: 'messaging.destination.name',
  messagingPartition: 'messaging.destination.partition.id',
  messagingGroup: 'messaging.consumer.group.name',
  messagingMessageId: 'messaging.message.id',
  messagingBatchCount: 'messaging.batch.message_count',
  kafkaMessageKey: 'messaging.kafka.message.key',
  kafkaOffset: 'messaging.kafka.offset',
} as const

/** Value of `messaging.system`: spans leave a process in the distributed mode alone, where the log is Kafka. */
export const MESSAGING_SYSTEM = 'kafka'
