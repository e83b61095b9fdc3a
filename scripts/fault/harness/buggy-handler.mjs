// Loaded before a service (node --import): whoever reads the policy of the model BUGGY_MODEL gets a row that nobody expects, and throws a TypeError over it.
import pg from 'pg'

const { query } = pg.Client.prototype
const model = process.env.BUGGY_MODEL

const row = new Proxy(
  {},
  {
    get(_, name) {
      throw new TypeError(`Cannot read properties of undefined (reading '${String(name)}')`)
    },
  },
)

/** Statements come as text with values beside it or, where they are prepared, as an object that holds both. */
function isAboutTheModel(config, values) {
  const [text, given] = typeof config === 'string' ? [config, values] : [config?.text, config?.values ?? values]
  return typeof text === 'string' && text.includes('from policy') && Array.isArray(given) && given.includes(model)
}

pg.Client.prototype.query = function buggyQuery(config, values, callback) {
  return isAboutTheModel(config, values) ? Promise.resolve({ rows: [row], command: 'SELECT' }) : query.call(this, config, values, callback)
}
