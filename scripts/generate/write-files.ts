import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const root = new URL('../../', import.meta.url).pathname

/** Paths, relative to the repository, whose content differs from what would be generated. */
export async function staleFiles(files: ReadonlyMap<string, string>): Promise<string[]> {
  const checks = [...files].map(async ([path, content]) => ((await readFile(join(root, path), 'utf8').catch(() => null)) === content ? [] : [path]))
  return (await Promise.all(checks)).flat()
}

export async function writeFiles(files: ReadonlyMap<string, string>): Promise<void> {
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), content)
  }
}
