export interface BrokerSettings {
  readonly port: number
  readonly controllerPort: number
  readonly securePort: number
  readonly dataDirectory: string
  readonly keystore: string
  readonly keystorePassword: string
  readonly user: string
  readonly password: string
}

const MECHANISMS = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'

/** The configuration of a single broker that is its own controller (KRaft), with a second listener behind TLS and SASL. */
export function brokerProperties(settings: BrokerSettings): string {
  const { user, password } = settings
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required username="${user}" password="${password}" user_${user}="${password}";`
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const properties: Readonly<Record<string, string | number | boolean>> = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${settings.controllerPort}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${settings.port},SECURE://127.0.0.1:${settings.securePort},CONTROLLER://127.0.0.1:${settings.controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${settings.port},SECURE://127.0.0.1:${settings.securePort}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'PLAINTEXT',
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': settings.keystore,
    'ssl.keystore.password': settings.keystorePassword,
    'sasl.enabled.mechanisms': MECHANISMS,
    'listener.name.secure.plain.sasl.jaas.config': plain,
    'listener.name.secure.scram-sha-256.sasl.jaas.config': scram,
    'listener.name.secure.scram-sha-512.sasl.jaas.config': scram,
    'log.dirs': settings.dataDirectory,
    // Topics come from the catalogue: a typing error must not make one.
    'auto.create.topics.enable': false,
    'default.replication.factor': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    // A group of one need not wait three seconds for members that never come.
    'group.initial.rebalance.delay.ms': 0,
    // As low as it may be asked for, so that tests of a lost member need not wait long.
    'group.min.session.timeout.ms': 1000,
    'num.network.threads': 2,
    'num.io.threads': 4,
    'num.recovery.threads.per.data.dir': 2,
    'log.cleaner.dedupe.buffer.size': 8_388_608,
  }
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`
}
