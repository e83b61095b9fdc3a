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

pg.Client.prototype.query = function buggyQuery(config, values, callback) {
  const asked = typeof config === 'string' && config.includes('from policy') && Array.isArray(values) && values.includes(model)
  return asked ? Promise.resolve({ rows: [row], command: 'SELECT' }) : query.call(this, config, values, callback)
}
