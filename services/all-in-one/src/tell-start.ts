import { relative } from 'node:path'
import { AppError, messageOf } from '@millrace/platform/errors.ts'
import { urlLines } from './commands/urls.ts'
import type { ShownDirectory } from './data-directory.ts'
import { answerOnce, hasModel, runSamplePipeline, sampleImagePath } from './sample/sample-pipeline.ts'
import { createStory } from './user/story.ts'
import { createUserClient, type UserClient } from './user/user-client.ts'

interface StartTelling {
  readonly url: string
  readonly directory: ShownDirectory
  readonly skipSample: boolean
  /** Sent with the sample's requests; none where a caller on this machine needs none. */
  readonly apiKey?: string | undefined
  readonly signal: AbortSignal
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Tells what starts; where there is no model yet, runs the sample pipeline. Gives up at once when the process is asked to stop. */
export async function tellStart({ url, directory, skipSample, apiKey, signal }: StartTelling): Promise<void> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new AppError('CANCELLED', 'Stopped while starting.')), { once: true })
  })
  const client = createUserClient(url, apiKey)
  const admitted = skipSample || (await Promise.race([client.isAdmitted(), stopped]))
  const shows = admitted && !skipSample
  await Promise.race([shows ? showSample(client, directory).catch(explain) : Promise.resolve(), stopped])
  say(`\nMillrace is at ${url} (data in ${directory.root}, log in ${directory.log})`)
  for (const line of urlLines(url)) say(line)
  const header = apiKey === undefined ? '' : '-H "x-api-key: $MILLRACE_ADMIN_KEY" '
  if (shows) say(`\nTry it:\n  curl ${header}-F file=@${relative(process.cwd(), sampleImagePath(directory))} ${url}/predict`)
  if (!admitted) say('\nThis Millrace asks for API keys: with MILLRACE_ADMIN_KEY set, the start looks after the sample model and `npm run tour` works.')
  say('\nReady. Ctrl-C or `npm run stop` stops it; `npm run tour` shows the rest.')
}

function explain(error: unknown): never {
  throw new AppError('INVALID_STATE', `The sample model is not there yet: ${messageOf(error)}. Start again to go on from here.`, { cause: error })
}

async function showSample(client: UserClient, directory: ShownDirectory): Promise<void> {
  const story = createStory(say)
  if (await hasModel(client)) story.chapter('Found a model')
  else await runSamplePipeline(client, story, directory)
  await answerOnce(client, story, directory)
}
