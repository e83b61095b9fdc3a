import sharp from 'sharp'

/** An SVG that this program wrote as a PNG. Not for SVG from outside: those are refused before any decoder sees them. */
export const renderSvg = (svg: string): Promise<Buffer> => sharp(Buffer.from(svg)).png().toBuffer()
