import { expect, test } from 'vitest'
import { parseExperimentId } from './experiment.ts'
import { normalizeRegistrations, refuseLoggedModelName } from './logged-model.ts'

test('registrations are a set, whichever way versions are written', () => {
  expect(normalizeRegistrations('[{"name":"RM","version":1},{"name":"RM","version":"1"},{"name":"RM","version":"2"}]')).toBe(
    '[{"name":"RM","version":"1"},{"name":"RM","version":"2"}]',
  )
})

test.each(['not json', '{}', '[1]', '[null]'])('the registrations %j stay as they are', (value) => {
  expect(normalizeRegistrations(value)).toBe(value)
})

test.each(['', 'a/b', 'a:b', 'a.b', 'a%b', 'a"b', "a'b"])('a logged model may not be named %j', (name) => {
  expect(refuseLoggedModelName(name)).not.toBeNull()
})

test('an experiment id is an integer; one that is too large exists nowhere', () => {
  expect(parseExperimentId('12')).toBe(12)
  expect(parseExperimentId('abc')).toBeNull()
  expect(parseExperimentId('-1')).toBeNull()
  expect(parseExperimentId('1.5')).toBeNull()
  expect(parseExperimentId('9'.repeat(30))).toBe(-1)
})
