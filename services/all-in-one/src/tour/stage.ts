import type { Story } from '../user/story.ts'
import type { UserClient } from '../user/user-client.ts'
import type { Prober } from './prober.ts'

/** What every step of the tour works with. */
export interface Stage {
  readonly client: UserClient
  readonly story: Story
  readonly prober: Prober
  readonly model: string
  /** Folder of the tour's own data set, beside the sample's. */
  readonly dataset: string
  /** Of the first pictures; the next nine are this tour's too, so that no picture that is sent stands in a data set. */
  readonly seed: number
}
