import { gatewayReady } from '@millrace/contracts/http/gateway.ts'
import { modelOverviews } from '@millrace/contracts/http/registry.ts'
import { createUserClient, type UserClient } from '../user/user-client.ts'
import { type Print, requireRunning } from './urls.ts'

/** What runs, since when, and which version of each model serves. Fails when a part is not ready. */
export async function printStatus(dataRoot: string, print: Print, apiKey?: string): Promise<void> {
  const { pid, url, startedAt } = await requireRunning(dataRoot)
  print(`Millrace runs at ${url} (process ${pid}, since ${startedAt})`)
  const response = await fetch(new URL('/ready', url), { signal: AbortSignal.timeout(5000) })
  const { ready, parts } = gatewayReady.parse(await response.json())
  for (const [name, part] of Object.entries(parts)) print(`  ${name.padEnd(16)} ${part.ready ? 'ready' : 'NOT READY'}`)
  await printModels(createUserClient(url, apiKey), print)
  if (!ready) throw new Error('not every part is ready')
}

async function printModels(client: UserClient, print: Print): Promise<void> {
  if (!(await client.isAdmitted())) return print('  The models are shown to those with a key: set MILLRACE_ADMIN_KEY.')
  const { models } = await client.get('/api/v1/models', modelOverviews)
  for (const model of models)
    print(`  ${model.model}: ${model.production ? `v${model.production.version} in Production` : 'nothing in Production'}, generation ${model.generation}`)
}
