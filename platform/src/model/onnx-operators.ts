import { refuseOnnx } from './onnx-limits.ts'

/** Operators that the runtime itself has: the standard ones and its own. Anything else is code from somewhere. */
const builtIn = new Set(['', 'ai.onnx', 'ai.onnx.ml', 'com.microsoft'])

/** Built-in operators that open files or are compiled elsewhere. */
const refusedOperators = new Set(['EPContext'])

const MAX_CALL_DEPTH = 32

/** The nodes of a graph or function: those of built-in operators, and calls of the model's own functions by key. */
export interface Body {
  nodes: number
  readonly calls: Map<string, number>
}

export const emptyBody = (): Body => ({ nodes: 0, calls: new Map() })

export const functionKey = (domain: string, name: string, overload: string): string => JSON.stringify([domain, name, overload])

export const isBuiltIn = (domain: string): boolean => builtIn.has(domain)

/** @throws AppError INVALID_PARAMETER_VALUE for an operator that is not served although the runtime has it */
export function checkOperator(type: string): void {
  if (refusedOperators.has(type)) throw refuseOnnx(`The ONNX file uses the operator ${type}, which is not served: export the model with standard operators`)
}

function refuseDomain(key: string): never {
  const [domain, name] = JSON.parse(key)
  const known = [...builtIn].map((each) => `'${each}'`).join(', ')
  throw refuseOnnx(`The ONNX file uses the operator ${name} of the domain '${domain}'; only ${known} are served: export the model with standard operators`)
}

/**
 * Nodes that a body stands for once every call is replaced by its function, as the runtime does: a few functions that call each other can stand for
 * billions. Infinity beyond `limit`.
 * @throws AppError INVALID_PARAMETER_VALUE for a call of nothing, or of itself
 */
export function expandedNodes(body: Body, functions: ReadonlyMap<string, Body>, limit: number): number {
  const known = new Map<string, number>()
  const expand = (each: Body, depth: number): number => {
    if (depth > MAX_CALL_DEPTH) throw refuseOnnx(`The functions of the ONNX file call each other deeper than ${MAX_CALL_DEPTH}: export the model without them`)
    let total = each.nodes
    for (const [key, times] of each.calls) {
      const callee = functions.get(key) ?? refuseDomain(key)
      const size = known.get(key) ?? expand(callee, depth + 1)
      known.set(key, size)
      total += times * size
      if (total > limit) return Number.POSITIVE_INFINITY
    }
    return total
  }
  return expand(body, 0)
}
