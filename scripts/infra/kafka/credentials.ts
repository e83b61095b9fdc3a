import { pbkdf2Sync, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../run-command.ts'

const ITERATIONS = 8192
const DIGESTS = { 'SCRAM-SHA-256': ['sha256', 32], 'SCRAM-SHA-512': ['sha512', 64] } as const

/** Arguments that give `user` its SCRAM credentials when the storage is formatted; salted here (RFC 5802), so that no argument holds the password. */
export function scramArguments(user: string, password: string): readonly string[] {
  return Object.entries(DIGESTS).flatMap(([mechanism, [digest, length]]) => {
    const salt = randomBytes(16)
    const salted = pbkdf2Sync(password, salt, ITERATIONS, length, digest)
    const fields = `name=${user},iterations=${ITERATIONS},salt="${salt.toString('base64')}",saltedpassword="${salted.toString('base64')}"`
    return ['--add-scram', `${mechanism}=[${fields}]`]
  })
}

/** A key and a certificate that it signed itself, for 127.0.0.1 and localhost; clients trust `certificate` (PEM). */
export async function keystoreIn(directory: string, password: string): Promise<{ keystore: string; certificate: string }> {
  const keystore = join(directory, 'keystore.p12')
  const certificate = join(directory, 'certificate.pem')
  const env = { MILLRACE_KEYSTORE_PASSWORD: password }
  const store = ['-alias', 'broker', '-keystore', keystore, '-storetype', 'PKCS12', '-storepass:env', 'MILLRACE_KEYSTORE_PASSWORD']
  if (!existsSync(keystore)) {
    const names = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1', '-ext', 'bc=ca:true']
    await runCommand('keytool', ['-genkeypair', '-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650', ...names, ...store], { env })
  }
  if (!existsSync(certificate)) await runCommand('keytool', ['-exportcert', '-rfc', '-file', certificate, ...store], { env })
  return { keystore, certificate }
}
