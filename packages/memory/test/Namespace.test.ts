import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import * as Namespace from "../src/Namespace.js"

const hash = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 12)
const locate = (directory: string) => Effect.runSync(Namespace.locate(directory))

let folder = ""
const at = (...parts: ReadonlyArray<string>) => path.join(folder, ...parts)
const git = (directory: string, ...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-C", directory, "-c", "user.name=t", "-c", "user.email=t@t", ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: folder, GIT_CONFIG_NOSYSTEM: "1" }
  }).trim()

beforeAll(() => {
  folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "contextfs-namespace-")))
  fs.mkdirSync(at("plain", "deep"), { recursive: true })
  for (const name of ["mine", "bare-of-origin"]) {
    fs.mkdirSync(at(name, "src"), { recursive: true })
    git(at(name), "init", "-q", "-b", "feature/x")
    git(at(name), "commit", "-q", "--allow-empty", "-m", "one")
  }
  git(at("mine"), "remote", "add", "upstream", "https://example.com/not/this.git")
  git(at("mine"), "remote", "add", "origin", "git@Example.COM:Org/Repo.git")
})

afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

describe("Namespace", () => {
  it("collapses the forms of one origin, and keeps different ones apart", () => {
    for (const url of [
      "git@github.com:Org/repo.git",
      "ssh://git@github.com/Org/repo",
      "ssh://git@GitHub.com:22/Org/repo.git/",
      "https://github.com/Org/repo.git",
      "https://user:secret@github.com/Org/repo/",
      "git://github.com/Org/repo",
      "github.com:Org/repo"
    ]) {
      expect([url, Namespace.normaliseOrigin(url)]).toEqual([url, "github.com/Org/repo"])
    }
    expect(Namespace.normaliseOrigin("/srv/git/repo.git/")).toBe("/srv/git/repo")
    expect(Namespace.normaliseOrigin("https://github.com/org/repo")).not.toBe(
      Namespace.normaliseOrigin("https://github.com/Org/repo")
    )
  })

  it("a repository is its origin, with branch and commit as git says", () => {
    const expected = {
      namespace: `repo-${hash("example.com/Org/Repo")}`,
      repo: "Repo",
      branch: "feature/x",
      commit: git(at("mine"), "rev-parse", "HEAD")
    }
    expect(locate(at("mine"))).toEqual(expected)
    expect(locate(at("mine", "src"))).toEqual(expected)
    expect(locate(at("mine", "src", "not", "there", "yet"))).toEqual(expected)
    fs.symlinkSync(at("mine", "src"), at("link"))
    expect(locate(at("link"))).toEqual(expected)
    git(at("mine"), "pack-refs", "--all")
    expect(locate(at("mine"))).toEqual(expected)
  })

  it("a worktree shares it, with its own branch; a detached head has a commit only", () => {
    git(at("mine"), "worktree", "add", "-q", "-b", "other", at("tree"))
    git(at("tree"), "commit", "-q", "--allow-empty", "-m", "two")
    const commit = git(at("tree"), "rev-parse", "HEAD")
    const main = locate(at("mine"))
    expect(locate(at("tree"))).toEqual({ ...main, branch: "other", commit })
    git(at("tree"), "checkout", "-q", "--detach")
    const { branch: _, ...detached } = { ...main, commit }
    expect(locate(at("tree"))).toEqual(detached)
    git(at("bare-of-origin"), "worktree", "add", "-q", "-b", "w", at("tree2"))
    expect(locate(at("tree2")).namespace).toBe(locate(at("bare-of-origin")).namespace)
  })

  it("without an origin it is the path; outside of a repository it is global", () => {
    expect(locate(at("bare-of-origin", "src"))).toMatchObject({
      namespace: `local-${hash(at("bare-of-origin"))}`,
      repo: "bare-of-origin"
    })
    expect(locate(at("plain", "deep"))).toEqual({ namespace: "global" })
    fs.mkdirSync(at("plain", ".git"))
    expect(locate(at("plain", "deep"))).toEqual({ namespace: "global" })
  })

  it("a configured namespace comes first", () => {
    fs.mkdirSync(at("mine", ".contextfs"))
    for (const line of [
      "namespace_id: team-a # ours",
      "namespace_id: 'team-a'",
      'version: 1\nnamespace_id:  "team-a"'
    ]) {
      fs.writeFileSync(at("mine", ".contextfs", "config.yaml"), `${line}\nproject: x\n`)
      expect(locate(at("mine", "src")).namespace).toBe("team-a")
    }
    for (const line of ["other: 1", "namespace_id:", "nested:\n  namespace_id: x", "# namespace_id: x"]) {
      fs.writeFileSync(at("mine", ".contextfs", "config.yaml"), `${line}\nproject: x\n`)
      expect(locate(at("mine")).namespace).toBe(`repo-${hash("example.com/Org/Repo")}`)
    }
  })

  it("the data folder is the user's choice, else .contextfs at home", () => {
    expect(Namespace.dataDir({}, "/home/u")).toBe("/home/u/.contextfs")
    expect(Namespace.dataDir({ CONTEXTFS_DATA_DIR: "" }, "/home/u")).toBe("/home/u/.contextfs")
    expect(Namespace.dataDir({ CONTEXTFS_DATA_DIR: "/data" }, "/home/u")).toBe("/data")
    expect(Namespace.dataDir({ CONTEXTFS_DATA_DIR: "~/x" }, "/home/u")).toBe("/home/u/x")
    expect(Namespace.dataDir({ CONTEXTFS_DATA_DIR: "x" }, "/home/u")).toBe(path.resolve("x"))
  })
})
