import { hasDiscriminator } from './discriminator.ts'
import { isRecord, isSchema, type JsonSchema, listOf, type Problem, problem, type SchemaObject } from './json-schema.ts'
import { resolveReference } from './normal-form.ts'
import { annotations, scalarKeywords } from './vocabulary.ts'

const plain: readonly string[] = [...annotations, ...scalarKeywords, 'type', 'enum', 'required', '$ref']
const holdsOne = ['additionalProperties', 'items', 'propertyNames']
const holdsList = ['prefixItems', 'anyOf', 'oneOf']
const holdsNamed = ['properties', '$defs']

/** Keywords that the checker does not understand, and places where a schema should be and is none. What is not understood cannot be promised. */
export function findUnknownKeywords(root: JsonSchema): readonly Problem[] {
  const check = (schema: unknown, path: string): readonly Problem[] => {
    if (!isSchema(schema)) return problem(path, 'expected a schema')
    return typeof schema === 'boolean' ? [] : Object.keys(schema).flatMap((keyword) => checkKeyword(schema, keyword, `${path}/${keyword}`))
  }

  function checkKeyword(schema: SchemaObject, keyword: string, path: string): readonly Problem[] {
    const value = schema[keyword]
    if (keyword === '$ref') return checkReference(schema, root, path)
    if (plain.includes(keyword)) return []
    if (holdsOne.includes(keyword)) return check(value, path)
    if (holdsList.includes(keyword)) {
      const own = keyword === 'oneOf' ? checkOneOf(schema, root, path) : []
      return Array.isArray(value) ? [...own, ...value.flatMap((item, index) => check(item, `${path}/${index}`))] : problem(path, 'expected a list of schemas')
    }
    if (!holdsNamed.includes(keyword)) return problem(path, `the keyword '${keyword}' is not understood: leave it out, or teach the compatibility checker`)
    return isRecord(value) ? Object.entries(value).flatMap(([name, item]) => check(item, `${path}/${name}`)) : problem(path, 'expected schemas by name')
  }

  return check(root, '#')
}

function checkOneOf(schema: SchemaObject, root: JsonSchema, path: string): readonly Problem[] {
  if (schema['anyOf'] !== undefined) return problem(path, "'oneOf' beside 'anyOf' is not understood")
  const branches = listOf(schema['oneOf']).map((branch) => (leads(branch, root) ? resolveReference(branch, root) : branch))
  return hasDiscriminator(branches) ? [] : problem(path, "'oneOf' is understood only where a required property has another 'const' in each alternative")
}

function checkReference(schema: SchemaObject, root: JsonSchema, path: string): readonly Problem[] {
  if (!leads(schema, root)) return problem(path, `${JSON.stringify(schema['$ref'])} leads to no definition below '#/$defs/'`)
  const beside = Object.keys(schema).find((keyword) => keyword !== '$ref' && keyword !== '$defs' && !annotations.includes(keyword))
  return beside ? problem(path, `'${beside}' beside a reference is not understood: put it into the definition`) : []
}

function leads(schema: JsonSchema, root: JsonSchema): boolean {
  try {
    resolveReference(schema, root)
    return true
  } catch {
    return false
  }
}
