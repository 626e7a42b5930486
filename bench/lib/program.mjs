/** A program of this folder that stays and answers one line of JSON to each word it is given. */
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const file = (name) => fileURLToPath(new URL(`../programs/${name}.mjs`, import.meta.url))

const running = new Set()

/** Ends what a measure that broke has left behind. */
export const endAll = () => {
  for (const child of running) child.kill("SIGKILL")
}

/** Starts `programs/NAME.mjs` with `options` as its argument; `prefix` are words to put before node, `flags` after. */
export const start = ({ name, options, prefix = [], flags = [], env = process.env }) => {
  const [command, ...args] = [...prefix, process.execPath, ...flags, file(name), JSON.stringify(options)]
  const child = spawn(command, args, { env, stdio: ["pipe", "pipe", "inherit"] })
  running.add(child)
  child.once("close", () => running.delete(child))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)))
  return {
    pid: child.pid,
    ask: async (word) => {
      child.stdin.write(`${word}\n`)
      const { done, value } = await lines.next()
      if (done) throw new Error(`${name} ended (${await ended}) when asked to ${word}`)
      return JSON.parse(value)
    },
    /** Lets it end by itself. */
    stop: async () => {
      child.stdin.end()
      const code = await ended
      if (code !== 0) throw new Error(`${name} ended with ${code}`)
    }
  }
}

/** The other side: answers each line of stdin with what the function of that name returns. */
export const serve = async (functions) => {
  for await (const word of createInterface({ input: process.stdin })) {
    const answer = await functions[word]()
    process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
  }
}
