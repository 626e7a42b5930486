/** Changing one place of a JSON document. */

export type Path = ReadonlyArray<string | number>

/** The object or array in a line; undefined where it is none. */
export const parse = (line: string): object | undefined => {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

/** Every place below the root, parents first. */
export const places = (
  value: unknown,
  at: Path = []
): ReadonlyArray<{ readonly path: Path; readonly value: unknown }> => {
  if (typeof value !== "object" || value === null) return []
  const entries: ReadonlyArray<readonly [string | number, unknown]> = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value)
  return entries.flatMap(([key, item]) => [{ path: [...at, key], value: item }, ...places(item, [...at, key])])
}

/** A copy with another value in one place. */
export const replaced = (root: unknown, path: Path, value: unknown): unknown => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (Array.isArray(root)) return root.map((item, index) => (index === key ? replaced(item, rest, value) : item))
  if (typeof root !== "object" || root === null) return root
  return Object.fromEntries(
    Object.entries(root).map(([name, item]) => [name, name === String(key) ? replaced(item, rest, value) : item])
  )
}
