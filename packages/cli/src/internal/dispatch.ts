/** From a checked command line to the answer of its command, through @effect/cli. */
import * as Args from "@effect/cli/Args"
import * as CliConfig from "@effect/cli/CliConfig"
import * as CliCommand from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type { Failure } from "../CliError.js"
import type { Answer, Command, Given, Parameter } from "../Command.js"
import type { Session } from "../Session.js"
import { unseal } from "./argv.js"
import * as parameters from "./parameters.js"

type Texts = ReadonlyArray<string>

// Whatever its kind, a parameter reads the texts that were given for it: that is what the checker has checked.
const argumentOf = ({ many, name, required }: Parameter<unknown>): Args.Args<Texts> =>
  many
    ? Args.text({ name }).pipe(Args.repeated, Args.map(Arr.map(unseal)))
    : required
      ? Args.text({ name }).pipe(Args.map((text) => [unseal(text)]))
      : Args.text({ name }).pipe(Args.optional, Args.map(Option.toArray), Args.map(Arr.map(unseal)))

const optionOf = ({ kind, name }: Parameter<unknown>): Options.Options<Texts> =>
  kind === "flag"
    ? Options.boolean(name).pipe(Options.map((given) => (given ? [""] : [])))
    : Options.text(name).pipe(Options.repeated, Options.map(Arr.map(unseal)))

const services = Layer.mergeAll(
  NodeFileSystem.layer,
  NodePath.layer,
  NodeTerminal.layer,
  CliConfig.layer({ isCaseSensitive: true, showBuiltIns: false })
)

/** The session with the backend that is named in it. */
const withMemory = (command: Command, given: Given, session: Session): Session => {
  if (!command.parameters.includes(parameters.memory)) return session
  const [module, options] = [given(parameters.memory), given(parameters.memoryOptions)]
  return module === undefined && options === undefined ? session : { ...session, memory: { module, options } }
}

/** Runs `command`; `argv` begins with its group, if it is in one, and its name. */
export const dispatch = (
  command: Command,
  group: string | undefined,
  argv: ReadonlyArray<string>,
  session: Session
): Effect.Effect<Answer, Failure> =>
  Effect.suspend(() => {
    let answer: Answer | undefined
    const takes = command.parameters.filter(({ kind }) => kind === "argument")
    const options = command.parameters.filter(({ kind }) => kind !== "argument")
    const config = {
      args: Args.all(takes.map(argumentOf)),
      options: Options.all(options.map(optionOf))
    }
    const leaf = CliCommand.make(command.name, config, (read) => {
      const texts = new Map<Parameter<unknown>, Texts>()
      for (const [index, parameter] of takes.entries()) texts.set(parameter, read.args[index] ?? [])
      for (const [index, parameter] of options.entries()) texts.set(parameter, read.options[index] ?? [])
      const given: Given = (parameter) => Either.getOrThrow(parameter.read(texts.get(parameter) ?? []))
      const where = ["contextfs", group, command.name].filter((word) => word !== undefined).join(" ")
      const ready = command.parameters.includes(parameters.project)
        ? parameters.checkProject(given, session, where)
        : Effect.void
      return Effect.map(Effect.zipRight(ready, command.run(given, withMemory(command, given, session))), (done) => {
        answer = done
      })
    })
    const run = <A>(app: CliCommand.Command<"contextfs", never, Failure, A>) =>
      CliCommand.run(app, { name: "contextfs", version: "" })(["node", "contextfs", ...argv])
    const root = CliCommand.make("contextfs")
    const ran =
      group === undefined
        ? run(root.pipe(CliCommand.withSubcommands([leaf])))
        : run(root.pipe(CliCommand.withSubcommands([CliCommand.make(group).pipe(CliCommand.withSubcommands([leaf]))])))
    return ran.pipe(
      // A checked command line that the parser refuses all the same is a bug of ours.
      Effect.catchIf(ValidationError.isValidationError, (error) => Effect.die(error)),
      Effect.provide(services),
      Effect.flatMap(() =>
        answer === undefined ? Effect.dieMessage(`no command ran for ${argv.join(" ")}`) : Effect.succeed(answer)
      )
    )
  })
