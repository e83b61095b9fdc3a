import { setTimeout as sleep } from 'node:timers/promises'
import type { Light } from '@millrace/sample-fish/camera.ts'
import { drawFish } from '@millrace/sample-fish/draw-fish.ts'
import { speciesCatalogue } from '@millrace/sample-fish/species.ts'
import type { UserClient } from '../user/user-client.ts'

export type Picture = Uint8Array<ArrayBuffer>

const DRAWN_AT_ONCE = 4
const SENT_AT_ONCE = 6
/** A steady stream rather than a burst, so that windows of time see it. */
const ROWS_PER_SECOND = 250
const LOOK_EVERY_MS = 200

/** Draws pictures of all species in turn, none of which is in the data set: `seed` must be one that no data set used. */
export async function drawTraffic(light: Light, seed: number, count: number): Promise<Picture[]> {
  const pictures: Picture[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let number = next++; number < count; number = next++) {
      const species = speciesCatalogue[number % speciesCatalogue.length]
      if (species) pictures[number] = new Uint8Array(await drawFish({ species: species.id, seed, light, index: number }))
    }
  }
  await Promise.all(Array.from({ length: DRAWN_AT_ONCE }, work))
  return pictures
}

/** Sends the pictures round and round, at a steady rate, until `enough` says so; any failed prediction fails the tour. Gives the number sent. */
export async function sendUntil(client: UserClient, model: string, pictures: readonly Picture[], enough: (sent: number) => Promise<boolean>): Promise<number> {
  const started = performance.now()
  let sent = 0
  let over = false
  const work = async (): Promise<void> => {
    while (!over) {
      const number = sent++
      await sleep(Math.max(0, started + (number * 1000) / ROWS_PER_SECOND - performance.now()))
      const picture = pictures[number % pictures.length]
      if (picture) await client.predict(picture, model)
    }
  }
  const watch = async (): Promise<void> => {
    while (!over) {
      over = await enough(sent)
      await sleep(LOOK_EVERY_MS)
    }
  }
  try {
    await Promise.all([watch(), ...Array.from({ length: SENT_AT_ONCE }, work)])
  } finally {
    over = true
  }
  return sent
}
