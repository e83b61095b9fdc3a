import { Lifetime, type Started } from '@millrace/platform/component.ts'
import { readConfig } from '@millrace/platform/config.ts'
import { createLog } from '@millrace/platform/log.ts'
import { run } from '@millrace/platform/run.ts'
import { hostConfig } from './config.ts'
import { prepareDataDirectory } from './data-directory.ts'
import { refuseTakenPort } from './port-probe.ts'
import { removeRuntime, writeRuntime } from './runtime-file.ts'
import { startMillrace } from './start-millrace.ts'
import { tellStart } from './tell-start.ts'

run(async (signal): Promise<Started<null>> => {
  const config = readConfig(hostConfig, process.env)
  const directory = await prepareDataDirectory(config.MILLRACE_DATA)
  await refuseTakenPort(config.HOST, config.PORT)
  const log = createLog({ level: config.LOG_LEVEL, destination: directory.log })
  const lifetime = new Lifetime()
  try {
    const millrace = await lifetime.start(startMillrace({ directory, host: config.HOST, port: config.PORT, env: process.env, log }))
    await writeRuntime(directory.root, { pid: process.pid, url: millrace.url, startedAt: new Date().toISOString(), services: millrace.services })
    lifetime.onStop(() => removeRuntime(directory.root))
    await tellStart({ url: millrace.url, directory, skipSample: config.MILLRACE_SKIP_SAMPLE, apiKey: config.MILLRACE_ADMIN_KEY, signal })
    return { value: null, stop: () => lifetime.stop() }
  } catch (error) {
    await lifetime.stop().catch(() => undefined)
    throw error
  }
})
