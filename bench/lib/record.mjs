/** The statements that run on SQLite, recorded as they are, so that a bare loop can run the very same. */
import Database from "better-sqlite3"

/**
 * From now on, every statement of this process that is run is handed to the recorder while one is set. Only for what is
 * prepared afterwards.
 */
export const recorder = () => {
  let log = null
  const prepare = Database.prototype.prepare
  Database.prototype.prepare = function (sql) {
    const statement = prepare.call(this, sql)
    for (const method of ["all", "run"]) {
      const original = statement[method]
      statement[method] = (...params) => {
        log?.push({ sql, params })
        return original.apply(statement, params)
      }
    }
    return statement
  }
  return {
    /** Runs the function and gives what it ran on SQLite, in order. */
    of: async (run) => {
      const recorded = []
      log = recorded
      try {
        await run()
      } finally {
        log = null
      }
      return recorded
    },
    stop: () => {
      Database.prototype.prepare = prepare
    }
  }
}

/** Runs recorded statements on a database of the driver, each text prepared once. */
export const replayer = (db) => {
  const prepared = new Map()
  return (statements) => {
    for (const { sql, params } of statements) {
      let statement = prepared.get(sql)
      if (statement === undefined) {
        statement = db.prepare(sql)
        prepared.set(sql, statement)
      }
      if (statement.reader) statement.all(...params)
      else statement.run(...params)
    }
  }
}
