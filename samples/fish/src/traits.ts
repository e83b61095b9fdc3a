/** Hue in degrees, saturation and lightness in percent. */
export type Hsl = readonly [hue: number, saturation: number, lightness: number]

/** A fin on the back or belly. Positions run from 0 (snout) to 1 (tail base), heights are in body lengths. */
export interface FinTraits {
  readonly start: number
  readonly end: number
  readonly height: number
  readonly shape: 'pointed' | 'spiny' | 'round' | 'concave'
}

/** Side view of the body, in body lengths (snout to tail base). */
export interface BodyTraits {
  readonly depth: number
  /** Where the body is deepest. */
  readonly peak: number
  /** Share of the depth that lies above the axis. */
  readonly backShare: number
  /** Height of the snout's tip as a share of the depth. */
  readonly snout: number
  /** Below 1 the head is blunt, above 1 it is drawn out. */
  readonly headPower: number
  readonly tailPower: number
  /** Depth in front of the tail as a share of the greatest depth. */
  readonly peduncle: number
}

export interface HeadTraits {
  readonly length: number
  readonly mouth: 'up' | 'end' | 'down'
  readonly mouthSize: number
  readonly eyeSize: number
  readonly eye: Hsl
  readonly barbels: number
  readonly barbelLength: number
}

export interface TailTraits {
  readonly length: number
  readonly spread: number
  /** 0 is cut straight, 1 is forked down to the base. */
  readonly fork: number
  readonly round: boolean
  /** Lower lobe longer than the upper one by this factor. */
  readonly lowerLobe: number
}

export interface SkinTraits {
  readonly back: Hsl
  readonly flank: Hsl
  readonly belly: Hsl
  readonly pattern: 'plain' | 'bars' | 'spots' | 'blotches' | 'stripe' | 'speckles' | 'marble'
  readonly marks: Hsl
  /** Number of bars or blotches; density of spots and speckles. */
  readonly count: number
  readonly strength: number
  readonly scaleSize: number
  readonly scaleContrast: number
}

export interface FishTraits {
  readonly body: BodyTraits
  readonly head: HeadTraits
  readonly tail: TailTraits
  readonly dorsal: readonly FinTraits[]
  readonly anal: FinTraits
  /** Where the pelvic fin sits. */
  readonly pelvic: number
  readonly pairedFinSize: number
  readonly finColour: Hsl
  /** Pelvic, anal and pectoral fins. */
  readonly pairedFinColour: Hsl
  readonly skin: SkinTraits
}

/** One kind of fish: its class name (folder name), its display label, and how it is drawn. */
export interface Species {
  readonly id: string
  readonly label: string
  readonly traits: FishTraits
}
