import { AppError } from '../errors.ts'

export interface OnnxLimits {
  /** Of the file itself, and of all that it keeps in side files. */
  readonly maxBytes: number
  /** With every call of a function counted as the nodes that it stands for. */
  readonly maxNodes: number
  /** Graphs within graphs (the branches of If, the bodies of Loop). */
  readonly maxDepth: number
  /** Of one input or output, its open dimensions counted as 1. */
  readonly maxTensorBytes: number
}

export const defaultOnnxLimits: OnnxLimits = { maxBytes: 1_073_741_824, maxNodes: 100_000, maxDepth: 8, maxTensorBytes: 268_435_456 }

/** The file is refused for what is in it. */
export const refuseOnnx = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)
