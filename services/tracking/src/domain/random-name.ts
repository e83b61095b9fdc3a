const adjectives =
  'agile amber ample bold brave bright brisk calm clever crisp deft eager early fair fleet fond frank gentle glad grand handy hardy honest keen kind lively lucid lucky merry mild modest neat nimble noble open patient placid plain polite proud quick quiet rapid ready serene sharp shy silent sleek smart smooth solid spry steady still stout sure swift tidy upbeat vivid warm wise witty'
const nouns =
  'ash aspen bank barbel bay beck birch bleak bream brook burbot carp char chub creek crow cypress dace delta dipper dune eel elm fen fjord ford gull harbor heron ide isle kite lagoon lake lark loach lynx marsh meadow mill minnow mole otter owl perch pike pond pool reed ripple river roach rudd shoal shore sluice snipe spring stream tench tern tide trout weir wren zander'
const adjectiveList = adjectives.split(' ')
const nounList = nouns.split(' ')

/** A name such as `swift-perch-417` from the last 32 bits of an id. */
export function randomName(id: string): string {
  const seed = Number.parseInt(id.replaceAll('-', '').slice(-8), 16)
  const adjective = adjectiveList[seed % adjectiveList.length]
  const rest = Math.floor(seed / adjectiveList.length)
  return `${adjective}-${nounList[rest % nounList.length]}-${Math.floor(rest / nounList.length) % 1000}`
}
