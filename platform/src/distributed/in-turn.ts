/** Each call goes to the next address; a call that is tried again goes to another one. */
export function inTurn(urls: readonly string[]): () => string {
  let next = 0
  return () => urls[next++ % urls.length] ?? ''
}
