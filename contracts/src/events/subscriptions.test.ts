import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { eventCatalogue } from './catalogue.ts'
import { subscriptions } from './subscriptions.ts'
import { topics } from './topics.ts'

const services = new URL('../../../services/', import.meta.url).pathname

/** The sources of a service, tests apart. */
function sourcesOf(service: string): string {
  const folder = join(services, service, 'src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
}

const variableOf = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)
const names = [...new Set(subscriptions.map(({ service }) => service))]

test.each(names)('the shared subscriptions of %s are those that its handlers have', (service) => {
  const source = sourcesOf(service)
  const handled = [...source.matchAll(/\bon\((\w+),/g)].map(([, definition]) => definition)
  const shared = subscriptions.filter((subscription) => subscription.service === service && subscription.group !== null)
  const told = shared.flatMap(({ reads }) => reads.map(({ name }) => variableOf(name)))
  const events = handled.filter((name) => eventCatalogue.some((definition) => variableOf(definition.name) === name))
  expect(new Set(told)).toEqual(new Set(events))
  expect(told).toHaveLength(events.length)
  for (const { group } of shared) expect(source).toContain(`'${group}'`)
})

test.each(names)('%s broadcasts to itself only what is said of it', (service) => {
  const broadcasts = subscriptions.some((subscription) => subscription.service === service && subscription.group === null)
  expect(sourcesOf(service).includes('.broadcast(')).toBe(broadcasts)
})

test('every event is published by the writer of its topic, and by nobody else', () => {
  const writers = readdirSync(services).filter((service) => !['all-in-one', 'console'].includes(service))
  for (const definition of eventCatalogue) {
    const publishes = new RegExp(`(definition: |say\\()[^,}]*\\b${variableOf(definition.name)}\\b`)
    expect(writers.filter((service) => publishes.test(sourcesOf(service)))).toEqual([topics[definition.topic].writer])
  }
})
