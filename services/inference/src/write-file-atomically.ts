import { rename, writeFile } from 'node:fs/promises'

let count = 0

/** Replaces a file so that a reader, or the next start after a crash, sees the old content or the new, never half of it. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${++count}.tmp`
  await writeFile(temporary, text)
  await rename(temporary, path)
}
