import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import * as MemoryStore from "@contextfs/memory/MemoryStore"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { bridgePath } from "../src/Bridge.js"
import * as RunServer from "../src/RunServer.js"
import { bridge, callOf, folder, frames, initialize, line, node, type Running, tester, timed } from "./harness.js"

const test = <E>(name: string, body: () => Effect.Effect<void, E, MemoryStore.MemoryStore | Scope.Scope>) =>
  it.live(name, () => body().pipe(Effect.scoped, Effect.provide(Layer.fresh(MemoryStore.layerMemory))))

const admitted = Effect.flatMap(folder, (directory) =>
  Effect.flatMap(RunServer.make({ directory }), (server) => server.admit(tester))
)

/** A memory server that takes connections and never says a word. */
const silent = Effect.gen(function* () {
  const socketPath = path.join(yield* folder, "silent.sock")
  const sockets = new Set<net.Socket>()
  yield* Effect.acquireRelease(
    Effect.async<net.Server>((resume) => {
      const server = net.createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket.on("error", () => undefined).resume())
      })
      server.listen(socketPath, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
        server.close()
      })
  )
  return { CONTEXTFS_SOCKET: socketPath, CONTEXTFS_TOKEN: "t" }
})

const ready = (running: Running) => {
  running.child.stdin.write(line(initialize))
  return Effect.promise(() => running.seen('"id":1'))
}

/** 2 s, with a second for the start and end of node on a busy machine where the process has to start first. */
const soon = 2_000

describe("leaves within 2 s", () => {
  test("of stdin's end, having answered what was asked", () =>
    Effect.gen(function* () {
      const { env } = yield* admitted
      const running = yield* bridge(env)
      yield* ready(running)
      running.child.stdin.end(line(callOf(2, "contextfs_save", { content: "The last word" })))
      const [ended, took] = yield* Effect.promise(() => timed(running.ended))
      expect(took).toBeLessThan(soon)
      expect(ended).toMatchObject({ code: 0, stderr: "" })
      expect(frames(ended.stdout).map(({ id }) => id)).toEqual([1, 2])
      const store = yield* MemoryStore.MemoryStore
      expect(yield* store.list({})).toMatchObject([{ content: "The last word" }])
    }))

  test("of stdin's end, though the server answers nothing", () =>
    Effect.gen(function* () {
      const running = yield* bridge(yield* silent)
      running.child.stdin.end(line(initialize))
      const started = performance.now()
      const ended = yield* Effect.promise(() => running.ended)
      expect(performance.now() - started).toBeLessThan(soon + 1_000)
      expect(ended.stdout).toBe("")
    }))

  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`of ${signal}`, () =>
      Effect.gen(function* () {
        const { env } = yield* admitted
        const running = yield* bridge(env)
        yield* ready(running)
        running.child.kill(signal)
        const [ended, took] = yield* Effect.promise(() => timed(running.ended))
        expect(took).toBeLessThan(soon)
        expect(ended).toMatchObject({ code: 0, signal: null, stderr: "" })
      }))
  }

  test("of its parent's death, though another process holds its stdin open", () =>
    Effect.gen(function* () {
      const { env } = yield* admitted
      // The parent gives the bridge our own pipe as stdin, so that its death is no end of input.
      const parent = yield* node(
        [
          "-e",
          `const child = require("node:child_process").spawn(process.execPath, [process.argv[1]], { stdio: ["inherit", "pipe", "ignore"] })
           child.stdout.once("data", () => console.log("pid", child.pid))`,
          bridgePath
        ],
        env
      )
      parent.child.stdin.write(line(initialize))
      const said = yield* Effect.promise(() => parent.seen("pid "))
      const pid = Number(/pid (\d+)/.exec(said)?.[1])
      expect(alive(pid)).toBe(true)
      parent.child.kill("SIGKILL")
      const [, took] = yield* Effect.promise(() => timed(gone(pid)))
      expect(took).toBeLessThan(soon)
    }))

  test("of a message that never ends, with an error", () =>
    Effect.gen(function* () {
      const { env } = yield* admitted
      const running = yield* bridge(env)
      yield* ready(running)
      running.child.stdin.write("x".repeat(5 * 1024 * 1024))
      const [ended, took] = yield* Effect.promise(() => timed(running.ended))
      expect(took).toBeLessThan(soon)
      expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining("longer than") })
      expect(frames(ended.stdout)).toMatchObject([{ id: 1 }])
    }))

  test("of stdin's end, though nobody reads its stdout", () =>
    Effect.gen(function* () {
      const { env } = yield* admitted
      const running = yield* bridge(env)
      yield* ready(running)
      running.child.stdin.write(line(callOf(2, "contextfs_save", { content: "x".repeat(60_000) })))
      const said = yield* Effect.promise(() => running.seen('"id":2'))
      const id = /"id":"([a-z0-9]{12})"/.exec(said)?.[1]
      running.child.stdout.pause()
      const recalls = Array.from({ length: 50 }, (_, index) => line(callOf(index + 3, "contextfs_recall", { id })))
      running.child.stdin.end(recalls.join(""))
      const exited = new Promise<void>((resolve) => running.child.on("exit", () => resolve()))
      const [, took] = yield* Effect.promise(() => timed(exited))
      running.child.stdout.resume()
      expect(took).toBeLessThan(soon)
    }))
})

describe("without a memory server", () => {
  const gone = Effect.map(folder, (directory) => ({
    CONTEXTFS_SOCKET: path.join(directory, "none.sock"),
    CONTEXTFS_TOKEN: "t"
  }))

  test("answers the first request with an error and ends with 1 and one line on stderr", () =>
    Effect.gen(function* () {
      for (const env of [yield* gone, {}]) {
        const running = yield* bridge(env)
        running.child.stdin.write(line(initialize))
        const ended = yield* Effect.promise(() => running.ended)
        expect(ended.code).toBe(1)
        expect(frames(ended.stdout)).toEqual([
          {
            jsonrpc: "2.0",
            id: 1,
            error: { code: -32000, message: expect.stringContaining("shared memory is not available") }
          }
        ])
        expect(ended.stderr.trimEnd().split("\n")).toHaveLength(1)
      }
    }))

  test("answers also where stdin has ended with the request", () =>
    Effect.gen(function* () {
      const running = yield* bridge(yield* gone)
      running.child.stdin.end(line(initialize))
      const ended = yield* Effect.promise(() => running.ended)
      expect(frames(ended.stdout)).toMatchObject([{ id: 1, error: { code: -32000 } }])
      expect(ended.code).toBe(1)
    }))

  test("ends by itself where nobody asks", () =>
    Effect.gen(function* () {
      const running = yield* bridge(yield* gone)
      expect(yield* Effect.promise(() => running.ended)).toMatchObject({ code: 1, stdout: "" })
    }))

  test("refuses a token that is wrong or over, and a session whose attempt ends under it", () =>
    Effect.gen(function* () {
      const { env } = yield* admitted
      const wrong = yield* bridge({ ...env, CONTEXTFS_TOKEN: "wrong" })
      wrong.child.stdin.write(line(initialize))
      const refused = yield* Effect.promise(() => wrong.ended)
      expect(frames(refused.stdout)).toMatchObject([{ id: 1, error: { code: -32000 } }])
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("attempt") })

      const scope = yield* Scope.make()
      const short = yield* Scope.extend(admitted, scope)
      const running = yield* bridge(short.env)
      yield* ready(running)
      yield* Scope.close(scope, Exit.void)
      running.child.stdin.write(line(callOf(2, "contextfs_list", {})))
      const ended = yield* Effect.promise(() => running.ended)
      expect(ended.code).toBe(1)
      expect(frames(ended.stdout)[0]).toMatchObject({ id: 1 })
    }))
})

test("every byte on stdout is part of a message, whatever comes in", () =>
  Effect.gen(function* () {
    const { env } = yield* admitted
    const running = yield* bridge(env)
    yield* ready(running)
    const junk = Buffer.concat([
      Buffer.from("hello\n\n\r\n[1,2]\nnull\n{}\n"),
      Buffer.from([0xff, 0xfe, 0x00, 0x0a]),
      Buffer.from('{"jsonrpc":"2.0","id":"__proto__","method":"constructor"}\n')
    ])
    running.child.stdin.write(junk)
    // Cut at every place.
    for (const byte of Buffer.from(line(callOf(2, "contextfs_save", { content: "über\u2028\u0000🙂" })))) {
      running.child.stdin.write(Buffer.from([byte]))
    }
    yield* Effect.promise(() => running.seen('"id":2'))
    running.child.stdin.end("{ cut off")
    const ended = yield* Effect.promise(() => running.ended)
    expect(ended).toMatchObject({ code: 0, stderr: "" })
    const answers = frames(ended.stdout)
    expect(answers.find(({ id }) => id === 2)).toMatchObject({ result: { structuredContent: { outcome: "created" } } })
    expect(answers.filter(({ error }) => error !== undefined).length).toBeGreaterThanOrEqual(5)
    const store = yield* MemoryStore.MemoryStore
    expect(yield* store.list({})).toHaveLength(1)
  }))

it("loads nothing but node's own modules", () => {
  const imports = [...fs.readFileSync(bridgePath, "utf8").matchAll(/from\s+"([^"]+)"|import\("([^"]+)"\)|require\(/g)]
  expect(imports.map(([, name]) => name)).toEqual(["node:net"])
})

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch (cause) {
    return cause instanceof Error && "code" in cause && cause.code === "ENOENT" && process.platform !== "linux"
  }
}

const gone = async (pid: number): Promise<void> => {
  while (alive(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
}
