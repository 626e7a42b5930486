import * as fs from "node:fs"
import * as path from "node:path"
import type { Role } from "@contextfs/roles/Role"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { NotFound, UsageError } from "../CliError.js"
import { type Command, flag, manyArguments } from "../Command.js"
import { clean } from "../internal/clean.js"
import { plural } from "../internal/format.js"
import { style, table } from "../internal/layout.js"
import * as parameters from "../internal/parameters.js"
import { shortPath } from "../internal/shortPath.js"
import { dataDir } from "../internal/store.js"
import type { Session } from "../Session.js"

const where = "contextfs trust"
const files = manyArguments({ name: "FILE", help: "Files of a project, read by you before", completes: "file" })
const listed = flag({ name: "list", help: "Show what is trusted, and whether it is still what it was" })
const remove = flag({ name: "remove", help: "Trust these files no more" })

export const trust: Command = {
  name: "trust",
  summary: "Trust files that came with a project, exactly as they are",
  parameters: [files, listed, remove, parameters.json],
  examples: [
    ["contextfs trust .contextfs/roles/migrate.md", "Let this role have what it asks for"],
    ["contextfs trust --list", "See what is trusted"],
    ["contextfs trust --remove .contextfs/roles/migrate.md", "Take it back"]
  ],
  details: [
    "A role that came with a project gets no more than permission read, no tool or model of its own, and no name of another role, until you trust its file. What is trusted is one content at one place: a file that changes has to be trusted again. Kept in trust.json of the data folder."
  ],
  run: (given, session) =>
    Effect.gen(function* () {
      const Trust = yield* Effect.promise(() => import("@contextfs/roles/Trust"))
      const folder = dataDir(session)
      const names = given(files)
      const wrong = (message: string, hint: string) => new UsageError({ message, where, hint })
      if (given(listed)) {
        if (given(remove) || names.length > 0) return yield* wrong("--list stands alone", "see contextfs trust --help")
        const { stateOf } = yield* Effect.promise(() => import("../internal/trustState.js"))
        const all = (yield* Trust.list(folder)).map((entry) => ({ ...entry, state: stateOf(entry) }))
        if (all.length === 0) return { text: "no file is trusted\n", json: { files: [] } }
        const { green, yellow } = style(session.stdout.colour)
        const rows = all.map(({ file, since, state }) => [state, since.slice(0, 10), clean(shortPath(file, session))])
        const lines = table(rows).map((line, index) => (all[index]?.state === "trusted" ? green : yellow)(line))
        return { text: `${lines.join("\n")}\n`, json: { files: all } }
      }
      yield* notForAgents(session)
      if (names.length === 0) return yield* wrong("argument FILE is missing", "name the files, or give --list")
      if (given(remove)) {
        const places = names.map((name) => realPath(path.resolve(session.cwd, name)))
        const removed = yield* Trust.remove(folder, places)
        if (removed.length === 0) {
          return yield* new NotFound({
            message: `not trusted: ${names.join(", ")}`,
            hint: "see contextfs trust --list"
          })
        }
        const text = removed.map(({ file }) => `no longer trusted  ${clean(shortPath(file, session))}\n`).join("")
        return { text, json: { removed } }
      }
      const contents = yield* Effect.forEach(names, (name) => {
        const content = Trust.readFile(path.resolve(session.cwd, name), Trust.maxBytes)
        return Either.isRight(content)
          ? Effect.succeed(content.right)
          : Effect.fail(new NotFound({ message: `${name} cannot be trusted: ${content.left}`, hint: "name a file" }))
      })
      // A broken role is told now rather than at its first use.
      const { decode } = yield* Effect.promise(() => import("@contextfs/roles/RoleFile"))
      const notes = yield* Effect.forEach(contents, ({ bytes, file }) =>
        isRole(file)
          ? Effect.map(decode(Buffer.from(bytes).toString("utf8"), file), (role) => [
              `         ${clean(roleLine(role))}`
            ])
          : Effect.succeed([])
      )
      yield* Trust.add(folder, contents)
      const lines = contents.flatMap(({ file }, index) => [
        `trusted  ${clean(shortPath(file, session))}`,
        ...(notes[index] ?? [])
      ])
      return {
        text: `${lines.join("\n")}\n${plural(contents.length, "file")} exactly as ${contents.length === 1 ? "it is" : "they are"} now; after a change, trust again\n`,
        json: { trusted: contents.map(({ file, sha256 }) => ({ file, sha256 })) }
      }
    })
}

/** An agent would be trusting itself. */
const notForAgents = (session: Session) =>
  Effect.gen(function* () {
    const { markerVariable } = yield* Effect.promise(() => import("@contextfs/core/AgentProcess"))
    if ((session.env[markerVariable] ?? "") === "") return
    const { PolicyRefused } = yield* Effect.promise(() => import("@contextfs/core/OrchestratorError"))
    return yield* new PolicyRefused({
      message: "an agent cannot say what is trusted",
      hint: "the user does, in a shell of their own"
    })
  })

/** Of a file that is gone, the real path of its folder and its name. */
const realPath = (file: string): string => {
  try {
    return fs.realpathSync(file)
  } catch {
    const parent = path.dirname(file)
    return parent === file ? file : path.join(realPath(parent), path.basename(file))
  }
}

const isRole = (file: string): boolean => /[\\/]\.contextfs[\\/]roles[\\/][^\\/]+\.md$/.test(file)

const roleLine = ({ model, name, permission, tool }: Role): string =>
  [
    `role ${name}`,
    `permission ${permission}`,
    ...(tool === undefined ? [] : [`tool ${tool}`]),
    ...(model === undefined ? [] : [`model ${model}`])
  ].join(" · ")
