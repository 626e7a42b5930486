/** Every way in which an attempt of a real program may end, against what it has to be judged. */
import { verdictCells } from "@contextfs/fixtures/VerdictCells"
import { expect, it } from "@effect/vitest"
import * as Tools from "../src/Tools.js"
import * as Verdict from "../src/Verdict.js"

it.each(["claude", "codex", "gemini", "opencode"] as const)("no cell of %s is misjudged", async (client) => {
  const adapter = Tools.builtIn.get(client)
  if (adapter === undefined) throw new Error(client)
  const cells = await verdictCells(client)
  expect(cells.length).toBeGreaterThanOrEqual(60)
  const found = cells.map(({ code, signal, stderr, stdout }) => {
    const decoder = adapter.decoder()
    const events = stdout.split("\n").flatMap((line) => decoder.line(line))
    const all = [...events, ...(decoder.end?.({ exitCode: code ?? -1, stderr }) ?? [])]
    const { reason, status } = Verdict.judge({
      tool: client,
      output: adapter.output,
      exitAbove128: adapter.exitAbove128,
      tally: all.reduce(Verdict.tally, Verdict.emptyTally),
      exit: { code, signal },
      ended: "self",
      stderr
    })
    return reason ?? status
  })
  const named = (judged: ReadonlyArray<string>) =>
    cells.map(({ exit, output }, index) => `${output}, exit ${exit}: ${judged[index]}`)
  expect(named(found)).toEqual(named(cells.map(({ expected }) => expected)))
})
