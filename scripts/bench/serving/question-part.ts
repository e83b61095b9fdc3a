import { z } from 'zod'
import { closedLoop } from '../closed-loop.ts'
import { serveParent } from '../serve-parent.ts'
import { steadyLoad } from './steady-load.ts'

const question = z.object({ url: z.string(), path: z.string(), body: z.string(), forMs: z.number() })

serveParent({
  load: (input) => closedLoop(question.extend({ connections: z.int() }).parse(input)),
  open: (input) => steadyLoad(question.extend({ perSecond: z.number() }).parse(input)),
})
