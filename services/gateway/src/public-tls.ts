import { readFileSync } from 'node:fs'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import type { PublicTls } from '@millrace/platform/http/public-tls.ts'
import type { Log } from '@millrace/platform/log.ts'
import type { GatewayConfig } from './config.ts'

const LOOK_EVERY_MS = 5000

/** TLS on the public port, where both files are named; null for plain HTTP. @throws AppError INVALID_PARAMETER_VALUE where only one is */
export function openPublicTls(
  config: Pick<GatewayConfig, 'GATEWAY_TLS_CERT_PATH' | 'GATEWAY_TLS_KEY_PATH'>,
  log: Log,
  everyMs = LOOK_EVERY_MS,
): PublicTls | null {
  const { GATEWAY_TLS_CERT_PATH: certPath, GATEWAY_TLS_KEY_PATH: keyPath } = config
  if (!certPath && !keyPath) return null
  if (!certPath || !keyPath) {
    throw new AppError('INVALID_PARAMETER_VALUE', `${certPath ? 'GATEWAY_TLS_KEY_PATH' : 'GATEWAY_TLS_CERT_PATH'} is missing: set both, or neither.`)
  }
  return {
    everyMs,
    read: () => ({ cert: readPem('GATEWAY_TLS_CERT_PATH', certPath), key: readPem('GATEWAY_TLS_KEY_PATH', keyPath) }),
    onRenewed(renewed) {
      if ('refused' in renewed) log.error('The new certificate cannot be used; the old one stays', { reason: renewed.refused })
      else log.info('The certificate was renewed', { validTo: renewed.validTo })
    },
  }
}

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AppError('INVALID_PARAMETER_VALUE', `The file that ${setting} names cannot be read: ${messageOf(cause)}`, { cause })
  }
}
