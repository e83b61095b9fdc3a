import { relative } from 'node:path'
import { AppError } from '@millrace/platform/errors.ts'
import { urlLines } from './commands/urls.ts'
import type { ShownDirectory } from './data-directory.ts'
import { answerOnce, hasModel, runSamplePipeline, sampleImagePath } from './sample/sample-pipeline.ts'
import { createStory } from './user/story.ts'
import { createUserClient } from './user/user-client.ts'

interface StartTelling {
  readonly url: string
  readonly directory: ShownDirectory
  readonly skipSample: boolean
  readonly signal: AbortSignal
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

/** Tells what starts; where there is no model yet, runs the sample pipeline. Gives up at once when the process is asked to stop. */
export async function tellStart({ url, directory, skipSample, signal }: StartTelling): Promise<void> {
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new AppError('CANCELLED', 'Stopped while starting.')), { once: true })
  })
  await Promise.race([skipSample ? Promise.resolve() : showSample(url, directory), stopped])
  say(`\nMillrace is at ${url} (data in ${directory.root}, log in ${directory.log})`)
  for (const line of urlLines(url)) say(line)
  if (!skipSample) say(`\nTry it:\n  curl -F file=@${relative(process.cwd(), sampleImagePath(directory))} ${url}/predict`)
  say('\nReady. Ctrl-C or `npm run stop` stops it; `npm run tour` shows the rest.')
}

async function showSample(url: string, directory: ShownDirectory): Promise<void> {
  const client = createUserClient(url)
  const story = createStory(say)
  if (await hasModel(client)) story.chapter('Found a model')
  else await runSamplePipeline(client, story, directory)
  await answerOnce(client, story, directory)
}
