import { once } from 'node:events'
import { createServer } from 'node:http'
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'
import type { Started } from '../component.ts'

export interface OidcIssuer {
  readonly issuer: string
  /** A signed token; claims that are left out are those of ana for an hour. `alg` and `kid` as the header is to say. */
  sign(claims?: JWTPayload, header?: { alg?: string; kid?: string; withoutEnd?: boolean }): Promise<string>
  /** Signs with another key from now on, and publishes that one alone. */
  rotate(): Promise<void>
  /** The public key as HMAC key material, for those who try. */
  publicKey(): JWK
  /** Calls for the keys so far. */
  keyRequests(): number
}

interface Pair {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly jwk: JWK
}

async function newPair(kid: string): Promise<Pair> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  return { kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' } }
}

/** A small OIDC issuer on a free port: discovery, keys, and tokens for the asking. */
export async function startOidcIssuer(audience = 'millrace'): Promise<Started<OidcIssuer>> {
  let pair = await newPair('key-1')
  let rotations = 1
  let asked = 0
  const server = createServer((request, response) => {
    const isKeys = request.url === '/keys'
    if (isKeys) asked += 1
    const origin = `http://${request.headers.host}`
    const body = isKeys ? { keys: [pair.jwk] } : { issuer: origin, jwks_uri: `${origin}/keys` }
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  const value: OidcIssuer = {
    issuer,
    sign: (claims = {}, { alg = 'RS256', kid = pair.kid, withoutEnd = false } = {}) => {
      const seconds = Math.floor(Date.now() / 1000)
      const full = { iss: issuer, aud: audience, sub: 'ana', iat: seconds, ...(withoutEnd ? {} : { exp: seconds + 3600 }), ...claims }
      return new SignJWT(full).setProtectedHeader({ alg, kid }).sign(pair.privateKey)
    },
    rotate: async () => {
      rotations += 1
      pair = await newPair(`key-${rotations}`)
    },
    publicKey: () => pair.jwk,
    keyRequests: () => asked,
  }
  return {
    value,
    stop: async () => {
      server.closeAllConnections()
      server.close()
    },
  }
}
