import { z } from 'zod'
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

const count = (most: number, preset: number) => z.coerce.number().int().min(1).max(most).default(preset)

/** Settings that the registry, the promoter and the pods share: what one lets pass the others must open. */
export const onnxSettings = {
  /** Largest network, and the most that its weights in side files may take. */
  MILLRACE_ONNX_MAX_BYTES: count(2 ** 40, defaultOnnxLimits.maxBytes),
  /** Most nodes of a network, functions written out. */
  MILLRACE_ONNX_MAX_NODES: count(100_000_000, defaultOnnxLimits.maxNodes),
}

export const onnxLimitsOf = (config: { readonly MILLRACE_ONNX_MAX_BYTES: number; readonly MILLRACE_ONNX_MAX_NODES: number }): OnnxLimits => ({
  ...defaultOnnxLimits,
  maxBytes: config.MILLRACE_ONNX_MAX_BYTES,
  maxNodes: config.MILLRACE_ONNX_MAX_NODES,
})

/** The file is refused for what is in it. */
export const refuseOnnx = (message: string): AppError => new AppError('INVALID_PARAMETER_VALUE', message)
