/** The edge: reads the process, runs one command, writes what it came to. The only place where effects are run. */
import { homedir } from "node:os"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import { exitCodes, type Failure, internalReport, type Report, report, signalCodes } from "./CliError.js"
import type { Answer } from "./Command.js"
import { root } from "./Commands.js"
import { type Globals, type Parsed, parse } from "./internal/argv.js"
import { cleanLines, json } from "./internal/clean.js"
import { complete } from "./internal/complete.js"
import { asking } from "./internal/completionScripts.js"
import { errorJson, errorText } from "./internal/errorText.js"
import { help } from "./internal/help.js"
import { style } from "./internal/layout.js"
import { writer } from "./internal/output.js"
import type { Left, Screen, Session } from "./Session.js"

declare const __VERSION__: string

const closed = Deferred.unsafeMake<void>(FiberId.none)
const complain = writer(process.stderr)
const print = writer(process.stdout, (error) => {
  Deferred.unsafeDone(closed, Effect.void)
  if (error === undefined) return
  // Whatever the command came to, nobody has it.
  complain(errorText(unwritten(error), style(coloured(process.stderr))))
  process.once("exit", () => {
    process.exitCode = exitCodes.storage
  })
})
const coloured = (stream: NodeJS.WriteStream): boolean =>
  stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb"
const columns = process.stdout.isTTY ? Math.max(40, process.stdout.columns) : Number.POSITIVE_INFINITY

// Else it opens the debugger of Node on a port of this machine, to whoever asks, in a process that holds secrets.
process.on("SIGUSR1", () => undefined)

/** Undefined where it has been deleted under us. */
const workingDirectory = (): string | undefined => {
  try {
    return process.cwd()
  } catch {
    return undefined
  }
}

const unwritten = ({ message }: Error): Report => ({
  class: "StorageError",
  code: exitCodes.storage,
  message: `the output cannot be written: ${message}`,
  hint: "free some space, or write it elsewhere"
})

const nowhere: Report = {
  class: "NotFound",
  code: exitCodes.notFound,
  message: "the working directory is not there any more",
  hint: "change to a folder that exists"
}

const main = (argv: ReadonlyArray<string>): void => {
  const parsed = parse(root, argv)
  switch (parsed.kind) {
    case "version":
      print(`${__VERSION__}\n`)
      break
    case "help":
      print(help(parsed.nodes, { style: style(coloured(process.stdout)), columns: Math.min(100, columns) }))
      break
    case "wrong":
      fail(report(parsed.error), parsed.globals)
      break
    case "command": {
      const cwd = workingDirectory()
      if (cwd === undefined) {
        fail(nowhere, parsed.globals)
        break
      }
      const hurried = Deferred.unsafeMake<void>(FiberId.none)
      const listeners: Array<() => void> = []
      let left: Left | "quietly" | undefined
      const session: Session = {
        env: process.env,
        command: [process.execPath, ...process.argv.slice(1, 2)],
        home: homedir(),
        cwd,
        print,
        note: (text) => (parsed.globals.json ? undefined : session.warn(text)),
        warn: (text) => complain(`${cleanLines(text)}\n`),
        onSignal: (listener) => {
          listeners.push(listener)
        },
        leave: (answer) => {
          left = answer
        },
        stdout: {
          columns,
          colour: coloured(process.stdout),
          screen: screenOf(process.stdout),
          closed: Deferred.await(closed)
        },
        hurried: Deferred.await(hurried)
      }
      const signals = {
        first: () => {
          for (const listener of listeners) listener()
        },
        left: () => left,
        second: () => Deferred.unsafeDone(hurried, Effect.void)
      }
      run(dispatched(parsed, session), signals, parsed.globals)
    }
  }
}

const screenOf = (stream: NodeJS.WriteStream): Screen | undefined => {
  const { CI, TERM } = process.env
  if (stream.isTTY !== true || TERM === "dumb" || (CI ?? "") !== "") return undefined
  return {
    size: () => ({ columns: stream.columns, rows: stream.rows }),
    ready: () => !stream.writableNeedDrain,
    onChange: (listener) => {
      const resized = () => listener("resized")
      const resumed = () => listener("resumed")
      stream.on("resize", resized)
      process.on("SIGCONT", resumed)
      return () => {
        stream.off("resize", resized)
        process.off("SIGCONT", resumed)
      }
    }
  }
}

const dispatched = (parsed: Extract<Parsed, { kind: "command" }>, session: Session): Effect.Effect<Answer, Failure> => {
  const { argv, command, group } = parsed
  return Effect.promise(() => import("./internal/dispatch.js")).pipe(
    Effect.flatMap(({ dispatch }) => dispatch(command, group, argv, session))
  )
}

interface Signals {
  readonly first: () => void
  readonly second: () => void
  /** What the interrupted command has come to. */
  readonly left: () => Left | "quietly" | undefined
}

/** Milliseconds in which more signals change nothing once an interrupted command has said what it came to. */
const afterwards = 1_000

/** The first signal interrupts, the second means at once, a third changes nothing. */
const run = (effect: Effect.Effect<Answer, Failure>, signals: Signals, globals: Globals): void => {
  let ended: number | undefined
  const fiber = Effect.runFork(effect)
  const listeners = Object.entries(signalCodes).map(([signal, code]) => {
    const listener = () => {
      if (ended !== undefined) return signals.second()
      ended = code
      signals.first()
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    process.on(signal, listener)
    return { signal, listener }
  })
  fiber.addObserver((exit) => {
    settle(exit, globals, ended, signals.left())
    const leave = () => {
      // From here on a signal ends the process as usual.
      for (const { listener, signal } of listeners) process.off(signal, listener)
    }
    // Of several signals the last may come while what was said is still on its way out.
    if (ended === undefined) leave()
    else setTimeout(leave, afterwards).unref()
  })
}

const settle = (
  exit: Exit.Exit<Answer, Failure>,
  globals: Globals,
  ended: number | undefined,
  left: ReturnType<Signals["left"]>
): void => {
  if (Exit.isSuccess(exit)) {
    const { exitCode, json: document, text } = exit.value
    print(globals.json ? `${json(document)}\n` : text)
    process.exitCode = ended ?? exitCode ?? exitCodes.completed
    return
  }
  const { cause } = exit
  if (ended !== undefined && Cause.isInterruptedOnly(cause)) {
    process.exitCode = ended
    if (left === "quietly") return
    const message = "ended by a signal"
    if (left !== undefined && !globals.json) print(left.text)
    const hint = left?.hint ?? "give the command again"
    const result = left === undefined ? {} : { result: left.json }
    fail({ class: "Interrupted", code: ended, message, hint, ...result }, globals)
    return
  }
  const failure = Cause.failureOption(cause)
  const told = Option.isSome(failure) ? report(failure.value) : internalReport(Cause.squash(cause))
  const stack = globals.debug ? `${Cause.pretty(cause, { renderErrorCause: true })}\n` : ""
  process.exitCode = ended ?? told.code
  // What went wrong may quote what the user or an agent gave.
  Effect.runFork(
    Effect.gen(function* () {
      const Redaction = yield* Effect.promise(() => import("@contextfs/memory/Redaction"))
      const redactor = Redaction.make(process.env)
      fail(yield* redactor.value(ended === undefined ? told : { ...told, code: ended }), globals)
      complain(cleanLines(redactor.text(stack)))
    })
  )
}

const fail = (told: Report, globals: Globals): void => {
  if (globals.json) print(errorJson(told))
  else complain(errorText(told, style(coloured(process.stderr))))
  process.exitCode = told.code
}

/** What can stand where the cursor is, for the script of a shell; no error of ours disturbs its line. */
const completing = (words: ReadonlyArray<string>): void => {
  const cwd = workingDirectory()
  if (cwd === undefined) return
  const place = { cwd, env: process.env, home: homedir() }
  Effect.runFork(
    Effect.promise(() => import("./internal/completionValues.js")).pipe(
      Effect.flatMap(({ answer }) => answer(complete(root, words), place)),
      Effect.map(print)
    )
  )
}

const [first, ...rest] = process.argv.slice(2)
if (first === asking) completing(rest)
else main(process.argv.slice(2))
