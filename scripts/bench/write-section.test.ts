import { expect, test } from 'vitest'
import { withSection } from './write-section.ts'

test('a section takes the place of the one of its name and leaves the others alone', () => {
  const both = withSection(withSection('', 'a', 'old'), 'b', 'other')
  const page = withSection(both, 'a', 'new')
  expect(page).toContain('new')
  expect(page).not.toContain('old')
  expect(page.indexOf('new')).toBeLessThan(page.indexOf('other'))
  expect(withSection(page, 'a', 'new')).toBe(page)
})
