import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AppError } from '@millrace/platform/errors.ts'

/** Keeps webhook secrets unreadable in the database. */
export interface SecretSeal {
  /** @throws AppError INVALID_PARAMETER_VALUE where no key is configured */
  seal(secret: string, webhookId: string): Buffer
  /** @throws SecretUnreadable for another key, another webhook's secret, or none at all */
  open(sealed: Buffer, webhookId: string): string
}

/** A stored secret that cannot be read with the present key. */
export class SecretUnreadable extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'SecretUnreadable'
  }
}

const FORMAT = 1
const IV_BYTES = 12
const TAG_BYTES = 16
const HEAD = 1 + IV_BYTES + TAG_BYTES
const NO_KEY =
  'Webhook secrets cannot be kept: this registry has no key to encrypt them with. Set REGISTRY_WEBHOOK_KEY (or REGISTRY_WEBHOOK_KEY_FILE) to 32 random bytes in hexadecimal or base64, or leave the secret out'

const bytesOf = (key: string): Buffer => Buffer.from(key, key.length === 64 ? 'hex' : 'base64')

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce for each secret; the webhook's id is authenticated along, so that a secret cannot be moved to another
 * webhook. Stored as format (1 byte), nonce (12), tag (16), cipher text. `key` is 64 hexadecimal or 44 base64 characters.
 */
export function createSecretSeal(key: string | undefined): SecretSeal {
  if (key === undefined) return { seal: refuse, open: unreadable }
  const secretKey = bytesOf(key)
  return {
    seal(secret, webhookId) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', secretKey, iv).setAAD(Buffer.from(webhookId))
      const content = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.from([FORMAT]), iv, cipher.getAuthTag(), content])
    },
    open(sealed, webhookId) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', secretKey, sealed.subarray(1, 1 + IV_BYTES), { authTagLength: TAG_BYTES })
        decipher.setAAD(Buffer.from(webhookId)).setAuthTag(sealed.subarray(1 + IV_BYTES, HEAD))
        return Buffer.concat([decipher.update(sealed.subarray(HEAD)), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new SecretUnreadable('the secret was encrypted with another key: give the old key back, or set the secret again', { cause })
      }
    },
  }
}

function refuse(): never {
  throw new AppError('INVALID_PARAMETER_VALUE', NO_KEY)
}

function unreadable(): never {
  throw new SecretUnreadable('REGISTRY_WEBHOOK_KEY is not set: the secret cannot be read')
}
