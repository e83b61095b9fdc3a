import { expect, test } from 'vitest'
import { rowsOfProfile } from './profile-rows.ts'

test.each([
  ['{"num_rows": 150, "num_elements": 600}', 150],
  ['{"features_shape": [120, 4], "features_size": 480}', 120],
  ['{"samples": 7}', 7],
  ['{"num_rows": 0}', 0],
])('the profile %s has %d rows', (profile, rows) => {
  expect(rowsOfProfile(profile)).toBe(rows)
})

test.each(['', '{', 'null', '[]', '{"num_rows": "many"}', '{"num_rows": -1}', '{"num_rows": 1.5}', '{"features_shape": {"x": [1]}}'])(
  'the profile %j does not say',
  (profile) => {
    expect(rowsOfProfile(profile)).toBeNull()
  },
)
