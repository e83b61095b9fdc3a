/** A map that forgets what was put in first once it is full. */
export function createBoundedMap<Value>(max: number) {
  const entries = new Map<string, Value>()
  return {
    get: (key: string): Value | undefined => entries.get(key),
    set(key: string, value: Value): void {
      const [oldest] = entries.size >= max && !entries.has(key) ? entries.keys() : []
      if (oldest !== undefined) entries.delete(oldest)
      entries.set(key, value)
    },
    clear: (): void => entries.clear(),
  }
}
