import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { hasRoleFiles, projectFolder } from "../src/folders.js"
import { builtIn, loadFiles, refusal } from "../src/RoleRegistry.js"
import * as Trust from "../src/Trust.js"

let home = ""
let dataDir = ""
let project = ""
beforeEach(() => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-roles-")))
  dataDir = path.join(home, ".contextfs")
  project = path.join(home, "code/shop")
  fs.mkdirSync(path.join(project, ".git"), { recursive: true })
})
afterEach(() => fs.rmSync(home, { recursive: true, force: true }))

const put = (file: string, text: string) => {
  fs.mkdirSync(path.dirname(file), { recursive: true })
  fs.writeFileSync(file, text)
  return file
}
const role = (front = "", body = "You are.") => `---\ndescription: d\n${front}\n---\n${body}\n`
const own = (name: string, text = role()) => put(path.join(dataDir, "roles", name), text)
const theirs = (name: string, text = role()) => put(path.join(project, ".contextfs/roles", name), text)
const around = (directory = project) => ({ dataDir, directory, home })
const load = (directory?: string) => loadFiles(around(directory))
const get = (name: string) => Effect.flatMap(load(), (roles) => roles.get(name))
const trust = (file: string) => Trust.add(dataDir, [Either.getOrThrow(Trust.readFile(file, Trust.maxBytes))])

describe("where roles are looked for", () => {
  it("upwards to the repository's root and no further", () => {
    const below = path.join(project, "a/b")
    fs.mkdirSync(below, { recursive: true })
    fs.mkdirSync(path.join(home, "code/.contextfs"))
    expect(projectFolder(around(below))).toBeUndefined()
    fs.mkdirSync(path.join(project, ".contextfs"))
    expect(projectFolder(around(below))).toBe(path.join(project, ".contextfs"))
    fs.mkdirSync(path.join(project, "a/.contextfs"))
    expect(projectFolder(around(below))).toBe(path.join(project, "a/.contextfs"))
  })

  it("without a repository up to the home folder, which is none; elsewhere only right here", () => {
    const below = path.join(home, "plain/a")
    fs.mkdirSync(below, { recursive: true })
    fs.mkdirSync(dataDir)
    expect(projectFolder(around(below))).toBeUndefined()
    expect(projectFolder({ ...around(home), dataDir: "/elsewhere" })).toBeUndefined()
    fs.mkdirSync(path.join(home, "plain/.contextfs"))
    expect(projectFolder(around(below))).toBe(path.join(home, "plain/.contextfs"))
    expect(projectFolder({ dataDir, directory: below, home: "/home/other" })).toBeUndefined()
    expect(projectFolder({ dataDir, directory: below })).toBeUndefined()
    expect(projectFolder({ dataDir, directory: path.dirname(below) })).toBe(path.join(home, "plain/.contextfs"))
    expect(projectFolder({ dataDir })).toBeUndefined()
  })

  it("never into a folder in which anybody may put things", () => {
    const shared = path.join(home, "shared")
    const below = path.join(shared, "mine")
    fs.mkdirSync(path.join(shared, ".git"), { recursive: true })
    fs.mkdirSync(path.join(shared, ".contextfs"))
    fs.mkdirSync(below)
    expect(projectFolder(around(below))).toBe(path.join(shared, ".contextfs"))
    fs.chmodSync(shared, 0o1777)
    expect(projectFolder(around(below))).toBeUndefined()
  })

  it("the data folder is no project's", () => {
    const inside = path.join(project, ".contextfs")
    fs.mkdirSync(inside)
    expect(projectFolder({ dataDir: inside, directory: project, home })).toBeUndefined()
  })

  it("is told cheaply whether there are any", () => {
    expect(hasRoleFiles(around())).toBe(false)
    theirs("README.md", "how we write roles")
    theirs(".draft.md", "")
    expect(hasRoleFiles(around())).toBe(false)
    theirs("x.md")
    expect(hasRoleFiles(around())).toBe(true)
    expect(hasRoleFiles({ dataDir })).toBe(false)
    own("y.md")
    expect(hasRoleFiles({ dataDir })).toBe(true)
  })
})

describe("roles from files", () => {
  it.effect("stand behind those built in; the user's may take their place", () =>
    Effect.gen(function* () {
      const mine = own("code.md", role("permission: full", "You are mine."))
      own("extra.md")
      theirs("other.md")
      const list = yield* (yield* load()).list
      expect(list.map(({ name }) => name)).toEqual([...builtIn.map(({ name }) => name), "extra", "other"])
      expect(yield* get("code")).toMatchObject({ prompt: "You are mine.", origin: { kind: "user", file: mine } })
      expect(refusal(yield* get("code"), "full")).toBeUndefined()
      expect(yield* get("test")).toMatchObject({ origin: { kind: "builtIn" } })
    })
  )

  it.effect("every problem of every file at once", () =>
    Effect.gen(function* () {
      own("a.md", role("permission: root"))
      own("b.md", "nothing")
      own("c.md", role("name: same"))
      own("d.md", role("name: same"))
      fs.writeFileSync(own("e.md"), Buffer.from([0xff, 0xfe]))
      fs.mkdirSync(path.join(dataDir, "roles/f.md"))
      const { message } = yield* Effect.flip(load())
      for (const part of [
        "a.md:3:13 permission: expected",
        "b.md:1:1 the front matter is missing",
        "d.md:1:1 c.md is the role same too",
        "e.md:1:1 the file is not UTF-8 text",
        "f.md:1:1 it is no regular file"
      ]) {
        expect(message).toContain(part)
      }
      expect(message.split("\n")).toHaveLength(5)
    })
  )

  it.effect("a pipe is not waited for", () =>
    Effect.gen(function* () {
      fs.mkdirSync(path.join(project, ".contextfs/roles"), { recursive: true })
      execFileSync("mkfifo", [path.join(project, ".contextfs/roles/x.md")])
      expect((yield* Effect.flip(load())).message).toContain("it is no regular file")
    })
  )

  it.effect("of a project lead nowhere else, whatever is the link; the user's own may", () =>
    Effect.gen(function* () {
      const outside = put(path.join(home, "secret.md"), role())
      fs.mkdirSync(path.join(dataDir, "roles"), { recursive: true })
      fs.symlinkSync(outside, path.join(dataDir, "roles/linked.md"))
      expect(yield* get("linked")).toMatchObject({ origin: { kind: "user", file: outside } })

      fs.mkdirSync(path.join(project, ".contextfs/roles"), { recursive: true })
      fs.symlinkSync(outside, path.join(project, ".contextfs/roles/x.md"))
      expect((yield* Effect.flip(load())).message).toContain("x.md:1:1 it leads out of the project")

      for (const part of [".contextfs/roles", ".contextfs"]) {
        fs.rmSync(path.join(project, ".contextfs"), { recursive: true })
        fs.mkdirSync(path.dirname(path.join(project, part)), { recursive: true })
        put(path.join(home, "elsewhere/roles/x.md"), role())
        fs.symlinkSync(path.join(home, "elsewhere", part === ".contextfs" ? "" : "roles"), path.join(project, part))
        expect((yield* Effect.flip(load())).message, part).toContain("it leads out of the project")
      }

      fs.rmSync(path.join(project, ".contextfs"))
      fs.mkdirSync(path.join(project, ".contextfs/roles"), { recursive: true })
      const shared = put(path.join(project, "roles/x.md"), role())
      fs.symlinkSync(shared, path.join(project, ".contextfs/roles/x.md"))
      expect(yield* get("x")).toMatchObject({ origin: { kind: "project", file: shared } })
    })
  )
})

describe("a project's role that is not trusted", () => {
  it.effect("may look, and no more", () =>
    Effect.gen(function* () {
      const file = theirs("x.md")
      const found = yield* get("x")
      expect(found.permission).toBe("read")
      expect(refusal(found, "read")).toBeUndefined()
      for (const permission of ["edit", "exec", "full"] as const) {
        expect(refusal(found, permission)).toEqual({
          file,
          message: `role x of ${file} is not trusted and would get permission ${permission}`
        })
      }
      yield* trust(file)
      expect(refusal(yield* get("x"), "exec")).toBeUndefined()
    })
  )

  it.effect.each([
    ["x.md", "permission: edit", "asks for permission edit"],
    ["x.md", "tool: codex", "names the tool codex"],
    ["x.md", "model: large", "names the model large"],
    ["code.md", "", "replaces the role of that name"],
    ["x.md", "name: code", "replaces the role of that name"],
    ["mine.md", "", "replaces the role of that name"]
  ] as const)("%s with %j is not used until its file is trusted as it is", ([name, front, why]) =>
    Effect.gen(function* () {
      own("mine.md")
      const file = theirs(name, role(front))
      const wanted = name === "mine.md" ? "mine" : why.startsWith("replaces") ? "code" : "x"
      const refused = Effect.map(get(wanted), (found) => refusal(found, found.permission)?.message)
      expect(yield* refused).toBe(`role ${wanted} of ${file} is not trusted and ${why}`)
      yield* trust(file)
      expect(yield* refused).toBeUndefined()
      fs.appendFileSync(file, "And you are evil.\n")
      expect(yield* refused).toContain("is not trusted")
    })
  )
})
