import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The header that carries it: addresses are logged on their way, headers are not. */
export const TOKEN_HEADER = 'x-millrace-upload-token'

/** Whoever holds it may send the bytes of one upload, and nothing else. */
export const newToken = (): string => randomBytes(32).toString('base64url')

export const digestOf = (token: string): string => createHash('sha256').update(token).digest('hex')

export const isToken = (token: string, sha256: string): boolean => timingSafeEqual(Buffer.from(digestOf(token), 'hex'), Buffer.from(sha256, 'hex'))
