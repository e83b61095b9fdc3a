import { readConfig } from '@millrace/platform/config.ts'
import { messageOf } from '@millrace/platform/errors.ts'
import { hostConfig } from '../config.ts'
import { printStatus } from './status.ts'
import { resetData, stopRunning } from './stop.ts'
import { printUrls } from './urls.ts'

const commands = { urls: printUrls, status: printStatus, stop: stopRunning, reset: resetData }
type Command = keyof typeof commands

const isCommand = (name: string): name is Command => name in commands

const name = process.argv[2] ?? ''
try {
  if (!isCommand(name)) throw new Error(`unknown command '${name}': expected one of ${Object.keys(commands).join(', ')}`)
  const { MILLRACE_DATA, MILLRACE_ADMIN_KEY } = readConfig(hostConfig, process.env)
  await commands[name](MILLRACE_DATA, (line) => process.stdout.write(`${line}\n`), MILLRACE_ADMIN_KEY)
} catch (error) {
  process.stderr.write(`millrace: ${messageOf(error)}\n`)
  process.exitCode = 1
}
