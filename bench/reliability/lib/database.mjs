/** A look at a SQLite file with the bare driver, beside whoever uses it. */
import Database from "better-sqlite3"

export const look = (file, use) => {
  const db = new Database(file, { timeout: 30_000 })
  try {
    return use(db)
  } finally {
    db.close()
  }
}

/** What `integrity_check` has against the file; null: nothing. */
export const damage = (file) => {
  const found = look(file, (db) => db.pragma("integrity_check", { simple: true }))
  return found === "ok" ? null : found
}
