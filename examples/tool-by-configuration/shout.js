#!/usr/bin/env node
/** A program that knows nothing of ContextFS: says in capitals what it is told. `--events`: as lines of JSON. */
import { text } from "node:stream/consumers"

const mark = process.env.SHOUT_MARK ?? "!"
const answer = `${(await text(process.stdin)).trim().toUpperCase()}${mark}`
if (process.argv.includes("--events")) {
  for (const event of [
    { type: "message", text: answer },
    { type: "result", ok: true, text: answer }
  ]) {
    console.log(JSON.stringify(event))
  }
} else console.log(answer)
