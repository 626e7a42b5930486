/** What the readme and the example say is run as a user would: by plain node, against the package as built. */
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const testkit = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const example = path.join(testkit, "../../examples/adapter-in-code")
const storeExample = path.join(testkit, "../../examples/memory-json-file")
const snippets = [...fs.readFileSync(path.join(testkit, "README.md"), "utf8").matchAll(/```js\n([\s\S]*?)```/g)].map(
  ([, code]) => code ?? ""
)
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-testkit-"))

/** Runs plain node in the folder, to its end. */
const node = (...args: ReadonlyArray<string>) =>
  new Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>((resolve, reject) => {
    const env = { PATH: process.env["PATH"], HOME: folder, TMPDIR: folder }
    const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] })
    const [stdout, stderr]: [Array<Buffer>, Array<Buffer>] = [[], []]
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk))
    child.once("error", reject)
    child.once("close", (code) =>
      resolve({ code, stdout: `${Buffer.concat(stdout)}`, stderr: `${Buffer.concat(stderr)}` })
    )
  })

/** What node's own runner counted. */
const counted = (stdout: string, what: string): number =>
  Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(stdout)?.[1])

beforeAll(() => {
  for (const each of [example, storeExample]) fs.cpSync(each, folder, { recursive: true })
  fs.mkdirSync(path.join(folder, "node_modules/@contextfs"), { recursive: true })
  for (const name of ["testkit", "core", "memory"]) {
    fs.symlinkSync(path.join(testkit, "..", name), path.join(folder, "node_modules/@contextfs", name))
  }
  fs.symlinkSync(fs.realpathSync(path.join(testkit, "node_modules/effect")), path.join(folder, "node_modules/effect"))
  fs.writeFileSync(path.join(folder, "package.json"), '{"type":"module"}')
})
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe("the readme", () => {
  it("has the example's test, and it passes under node's own runner", async () => {
    expect(snippets[0]).toBe(fs.readFileSync(path.join(example, "parrotTool.test.js"), "utf8"))
    expect(
      snippets[0]
        ?.trim()
        .split("\n")
        .filter((line) => line !== "").length
    ).toBeLessThanOrEqual(10)
    const { code, stdout } = await node("--test", "--test-reporter=tap", "parrotTool.test.js")
    expect(stdout).toMatch(/decoding: hello: cut at any byte/)
    expect(counted(stdout, "fail"), stdout).toBe(0)
    expect(counted(stdout, "pass")).toBeGreaterThan(20)
    expect(code).toBe(0)
  })

  it("shows how a store is checked", async () => {
    fs.writeFileSync(
      path.join(folder, "myStore.js"),
      'export { layerMemory as layerEmpty } from "@contextfs/memory/MemoryStore"'
    )
    fs.writeFileSync(path.join(folder, "myStore.test.js"), snippets[1] ?? "")
    const { code, stdout } = await node("--test", "--test-reporter=tap", "myStore.test.js")
    expect(counted(stdout, "fail"), stdout).toBe(0)
    expect(counted(stdout, "pass")).toBeGreaterThan(20)
    expect(code).toBe(0)
  })

  it("shows the stand-ins, whose program is in the package", async () => {
    fs.writeFileSync(path.join(folder, "standIns.js"), snippets[2] ?? "")
    const { code, stdout, stderr } = await node("standIns.js")
    expect(stderr).toBe("")
    expect(stdout).toBe('{"type":"result","ok":true}\ntrue\nAll done.\n')
    expect(code).toBe(0)
    expect(snippets.length).toBe(3)
  })
})

describe("the examples", () => {
  it("have a memory in a JSON file that passes", async () => {
    const { code, stdout } = await node("--test", "--test-reporter=tap", "jsonFileStore.test.js")
    expect(counted(stdout, "fail"), stdout).toBe(0)
    expect(counted(stdout, "pass")).toBeGreaterThan(20)
    expect(code).toBe(0)
  })

  it("are of the types they say", async () => {
    const options = [
      "--noEmit",
      "--allowJs",
      "--strict",
      "--target",
      "es2023",
      "--module",
      "nodenext",
      "--skipLibCheck"
    ]
    const types = ["--typeRoots", path.join(testkit, "node_modules/@types"), "--types", "node"]
    const tsc = path.join(testkit, "node_modules/typescript/bin/tsc")
    expect((await node(tsc, ...options, ...types, "parrotTool.js", "jsonFileStore.js")).stdout).toBe("")
  })

  it("have an adapter that runs an agent", async () => {
    const { code, stdout, stderr } = await node("run.js")
    expect(stderr).toBe("")
    expect(stdout).toBe("completed true null\n")
    expect(code).toBe(0)
  })
})

describe("the package as built", () => {
  it("names the private fixtures nowhere", () => {
    const files = fs.readdirSync(path.join(testkit, "dist"), { recursive: true, encoding: "utf8" })
    const code = files.filter((file) => /\.(?:js|d\.ts)$/.test(file))
    expect(code.length).toBeGreaterThan(20)
    for (const file of code) {
      expect(fs.readFileSync(path.join(testkit, "dist", file), "utf8"), file).not.toContain("@contextfs/fixtures")
    }
  })
})
