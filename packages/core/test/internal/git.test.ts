import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, expect, it } from "vitest"
import { repositoryOf } from "../../src/internal/git.js"

const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "cfs-git-")))
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const git = (directory: string, ...args: ReadonlyArray<string>): string =>
  execFileSync("git", ["-C", directory, "-c", "user.name=a", "-c", "user.email=a@b", ...args], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "", HOME: root, GIT_CONFIG_NOSYSTEM: "1" }
  })
const folder = (...parts: ReadonlyArray<string>): string => {
  const made = path.join(root, ...parts)
  fs.mkdirSync(made, { recursive: true })
  return made
}

it("a repository is what git takes for one, in the nearest folder upwards", () => {
  const repository = folder("repository")
  git(repository, "init", "-q")
  git(repository, "commit", "-q", "--allow-empty", "-m", "first")
  git(repository, "worktree", "add", "-q", path.join(root, "tree"))
  const odd = folder("repository", "odd", "below")
  // None of these is one, and the one further up still is.
  fs.mkdirSync(path.join(odd, ".git"))
  fs.writeFileSync(path.join(path.dirname(odd), ".git"), "a note of somebody's\n")
  for (const at of [repository, folder("repository", "a", "b"), folder("tree", "below")]) {
    expect(repositoryOf(at)).toBe(git(at, "rev-parse", "--show-toplevel").trim())
  }
  expect(repositoryOf(odd)).toBe(repository)
  // Nothing further up is one either, but for what the machine itself may be in.
  expect(repositoryOf(folder("plain"))).toBe(repositoryOf(os.tmpdir()))
  fs.mkdirSync(path.join(root, ".git"))
  expect(repositoryOf(folder("plain"))).toBe(repositoryOf(os.tmpdir()))
})
