import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const HEAD = '# Benchmarks\n\nEach section was written by the command that it names: run it again rather than edit.\n'
const beginOf = (name: string): string => `<!-- begin ${name} -->`
const endOf = (name: string): string => `<!-- end ${name} -->`

/** The page with that section in place of the one of the same name, or after the others. */
export function withSection(page: string, name: string, text: string): string {
  const section = `${beginOf(name)}\n${text.trim()}\n${endOf(name)}`
  const begin = page.indexOf(beginOf(name))
  const end = page.indexOf(endOf(name))
  if (begin < 0 || end < begin) return `${page.trimEnd() || HEAD.trimEnd()}\n\n${section}\n`
  return page.slice(0, begin) + section + page.slice(end + endOf(name).length)
}

export function writeSection(path: string, name: string, text: string): void {
  writeFileSync(path, withSection(existsSync(path) ? readFileSync(path, 'utf8') : '', name, text))
}
