/** The shortest decimal number that reads back as the same 32-bit float: a third of the bytes of its 64-bit form in JSON. */
export function shortFloat(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === Math.fround(value)) return short
  }
  return value
}

export const shortFloats = (values: Float32Array): number[] => Array.from(values, shortFloat)
