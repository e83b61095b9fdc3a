const encoder = new TextEncoder()

/** Base64 (standard alphabet, padded) of a text's UTF-8 bytes. */
export function encodeBase64(text: string): string {
  let latin = ''
  for (const byte of encoder.encode(text)) latin += String.fromCharCode(byte)
  return btoa(latin)
}
