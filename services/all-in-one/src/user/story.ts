/** Tells a person what happens, one line a step, with the time it took. */
export interface Story {
  chapter(title: string): void
  step(text: string): void
  /** A fact without a time of its own. */
  note(text: string): void
}

const ARROW = '\u2192'

export function createStory(write: (line: string) => void, now: () => number = () => performance.now()): Story {
  let last = now()
  return {
    chapter(title) {
      last = now()
      write(`\n${title}`)
    },
    step(text) {
      const elapsed = now() - last
      last = now()
      write(`  ${ARROW} ${text}  (${formatDuration(elapsed)})`)
    },
    note: (text) => write(`    ${text}`),
  }
}

export function formatDuration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
