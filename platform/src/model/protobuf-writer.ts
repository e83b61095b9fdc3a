/** One encoded field (tag and payload) of a protobuf message; concatenated, fields make a message. */
export type Field = Uint8Array

const encoder = new TextEncoder()

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  return [...bytes, Number(rest)]
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Wire type 0; negative numbers take ten bytes, as protobuf's int64 does. */
export const intField = (field: number, value: number | bigint): Field => Uint8Array.from([...varint(BigInt(field << 3)), ...varint(BigInt(value))])

/** Wire type 5: a 32-bit float. */
export function floatField(field: number, value: number): Field {
  const payload = new DataView(new ArrayBuffer(4))
  payload.setFloat32(0, value, true)
  return concatBytes([Uint8Array.from(varint(BigInt((field << 3) | 5))), new Uint8Array(payload.buffer)])
}

/** Wire type 2. */
export const bytesField = (field: number, bytes: Uint8Array): Field =>
  concatBytes([Uint8Array.from([...varint(BigInt((field << 3) | 2)), ...varint(BigInt(bytes.length))]), bytes])

export const textField = (field: number, text: string): Field => bytesField(field, encoder.encode(text))

export const messageField = (field: number, fields: readonly Field[]): Field => bytesField(field, concatBytes(fields))
