/** The program: repeats what it is asked on stdin, and says so in lines of JSON. `--as NAME` names its model. */
import { randomUUID } from "node:crypto"
import { text } from "node:stream/consumers"

const say = (line) => console.log(JSON.stringify(line))
const named = process.argv.indexOf("--as")
say({ event: "hello", session: randomUUID(), model: named === -1 ? "grey" : process.argv[named + 1] })
const words = (await text(process.stdin)).trim()
if (words === "") {
  say({ event: "bye", error: "nobody spoke to me" })
  process.exitCode = 1
} else {
  say({ event: "word", text: words })
  say({ event: "bye", tokens: { in: words.length, out: words.length } })
}
