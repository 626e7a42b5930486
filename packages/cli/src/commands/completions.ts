import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { argument, type Command } from "../Command.js"
import { scripts } from "../internal/completionScripts.js"
import * as parameters from "../internal/parameters.js"

const names = ["bash", "zsh", "fish"] as const
type Shell = (typeof names)[number]

const shell = {
  ...argument({ name: "SHELL", help: `One of ${names.join(", ")}` }),
  choices: names,
  read: ([given]: ReadonlyArray<string>): Either.Either<Shell, string> =>
    Either.fromNullable(
      names.find((name) => name === given),
      () => `one of ${names.join(", ")}`
    )
}

export const completions: Command = {
  name: "completions",
  summary: "Print what makes a shell complete contextfs",
  parameters: [shell, parameters.json],
  examples: [
    [`echo 'eval "$(contextfs completions bash)"' >> ~/.bashrc`, "Install for bash"],
    [`echo 'eval "$(contextfs completions zsh)"' >> ~/.zshrc`, "Install for zsh"],
    ["contextfs completions fish > ~/.config/fish/completions/contextfs.fish", "Install for fish"]
  ],
  details: [
    "It completes commands, options, roles, tools, runs and jobs, files and directories. The script only asks contextfs, so that it stays right when contextfs is updated."
  ],
  run: (given) =>
    Effect.sync(() => {
      const name = given(shell)
      return { text: scripts[name], json: { shell: name, script: scripts[name] } }
    })
}
