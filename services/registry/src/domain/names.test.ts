import { expect, test } from 'vitest'
import { isStorable, problemOfAlias, problemOfKey, problemOfModelName } from './names.ts'

const nameless = "Missing value for required parameter 'name'. See the API docs for more information about request parameters."

test.each([
  ['', nameless],
  ['   ', nameless],
  ['a/b', "Invalid model name 'a/b'. Names cannot contain '/' or ':'."],
  ['a:b', "Invalid model name 'a:b'. Names cannot contain '/' or ':'."],
  ['..', "Invalid model name '..'. Names cannot be '.' or start with '..'."],
  ['x'.repeat(257), "'name' exceeds the maximum length of 256 characters"],
])('model name %j is refused in the words that clients know', (name, message) => {
  expect(problemOfModelName(name)).toBe(message)
})

test.each(['a\u0000b', 'line\nbreak', 'half \ud800'])('a name with an unprintable character is refused', (name) => {
  expect(problemOfModelName(name)).toContain('Invalid model name')
})

test.each(['fish-classifier', 'Fisch 🐟', 'a.b', "it's"])('model name %j is fine', (name) => {
  expect(problemOfModelName(name)).toBeNull()
})

test.each([
  ['', 'Registered model alias name cannot be empty.'],
  ['a b', "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_) and dashes (-)."],
  ['Latest', "'latest' alias name (case insensitive) is reserved."],
  ['V12', "Version alias name 'V12' is reserved."],
])('alias %j is refused', (alias, message) => {
  expect(problemOfAlias(alias)).toBe(message)
})

test.each(['champion', 'v1a', 'größe', 'a_b-c'])('alias %j is fine', (alias) => {
  expect(problemOfAlias(alias)).toBeNull()
})

test.each(['../x', '/abs', 'a//b', 'a/', './a', '.', 'a/../b', 'a\\b', 'a%b'])('tag key %j is refused', (key) => {
  expect(problemOfKey(key, 'key')).toContain("for parameter 'key' supplied: Names")
})

test.each(['mlflow.prompt.is_prompt', 'a/b', 'a b:c-d', 'größe', '...a'.slice(2)])('tag key %j is fine', (key) => {
  expect(problemOfKey(key, 'key')).toBeNull()
})

test('text that PostgreSQL cannot keep is told apart', () => {
  expect(['plain', '🐟', 'a\u0000', '\udfff'].map(isStorable)).toEqual([true, true, false, false])
})
