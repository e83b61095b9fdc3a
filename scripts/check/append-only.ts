import { spawnSync } from 'node:child_process'
import { type DigestList, parseDigests, readDigests } from './digest-list.ts'

function git(root: string, ...args: string[]): string | null {
  const { status, stdout } = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return status === 0 ? stdout : null
}

/**
 * Entries that some earlier commit had recorded and that are gone or different now: a list that could be rewritten would prove nothing. Sees as much of the
 * history as the checkout has; where there is no repository (an unpacked archive) there is nothing to compare with.
 */
export function rewrittenEntries(root: string, list: DigestList): readonly string[] {
  const commits = (git(root, 'log', '--format=%H', '--', list.list) ?? '').split('\n').filter((commit) => commit !== '')
  const now = readDigests(root, list)
  const problems = commits.flatMap((commit) => {
    const text = git(root, 'show', `${commit}:${list.list}`)
    const then = text === null ? {} : parseDigests(text, `${list.list} at ${commit}`)
    return Object.keys(then)
      .filter((name) => now[name] !== then[name])
      .map((name) => `${list.list}: the entry of ${name} was ${now[name] === undefined ? 'removed' : 'rewritten'}; the list only grows`)
  })
  return [...new Set(problems)]
}
