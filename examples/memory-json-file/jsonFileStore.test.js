import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { after, test } from "node:test"
import { layer } from "@contextfs/memory/PromiseStore"
import { memoryConformance } from "@contextfs/testkit/MemoryConformance"
import jsonFileStore from "./jsonFileStore.js"

const folder = mkdtempSync(join(tmpdir(), "json-file-"))
after(() => rmSync(folder, { recursive: true }))
const empty = () => layer(jsonFileStore({ file: join(mkdtempSync(join(folder, "store-")), "memory.json") }))
for (const check of memoryConformance(empty)) test(check.name, check.run)
