/** Holds docs/seed.md to its word: every test that it names ran and passed, by the reports of a run. */
import { existsSync, readFileSync } from "node:fs"
import path from "node:path"
import { fileURLToPath } from "node:url"

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const page = readFileSync(path.join(root, "docs/seed.md"), "utf8")

/** Every test that passed. The real programs are tested in a copy of the repository at another place, so paths are compared from their end. */
const passed = process.argv
  .slice(2)
  .filter((file) => existsSync(file))
  .flatMap((file) => JSON.parse(readFileSync(file, "utf8")).testResults)
  .flatMap(({ assertionResults, name }) =>
    assertionResults.filter(({ status }) => status === "passed").map(({ title }) => ({ name, title }))
  )
const ran = ({ file, title }) => passed.some((test) => test.title === title && test.name.endsWith(`/${file}`))

const rows = page.split("\n").filter((line) => /^\| (?!Original|---)/.test(line))
const without = rows.filter((row) => !/\]\(\.\.\/[^)]+\.test\.ts\) `/.test(row))
const named = [...page.matchAll(/\]\(\.\.\/([^)]+\.test\.ts)\) `([^`]+)`/g)].map(([, file, title]) => ({ file, title }))
const missing = named.filter((test) => !ran(test))

for (const row of without) console.log(`docs/seed.md names no test: ${row}`)
for (const { file, title } of missing) console.log(`docs/seed.md names a test that did not pass: ${file}: ${title}`)
console.log(
  `docs/seed.md: ${rows.length} names, ${named.length - missing.length} of ${named.length} mentions of tests passed`
)
process.exitCode = rows.length > 0 && without.length + missing.length === 0 ? 0 : 1
