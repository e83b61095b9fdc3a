import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { pageRoutes } from './page.ts'

const folder = new URL('../../public/', import.meta.url)
const paths = pageRoutes(folder).map(({ path }) => path)
const read = (name: string): string => readFileSync(new URL(name, folder), 'utf8')

test('whatever the page asks for of its own is served', () => {
  const asked = ['index.html', 'console.js', 'pages.js', 'dom.js'].flatMap((name) =>
    [...read(name).matchAll(/(?:from|src=|href=) ?["'](\/[\w.-]+\.(?:js|css|svg))["']/g)].map(([, path = '']) => path),
  )
  expect(new Set(asked)).toEqual(new Set(paths.filter((path) => path !== '/')))
})

test('nothing that is shown is written as markup', () => {
  for (const name of ['console.js', 'pages.js', 'dom.js']) expect(read(name)).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write/)
})
