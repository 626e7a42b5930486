import * as Tools from "@contextfs/core/Tools"
import * as Verdict from "@contextfs/core/Verdict"
import { verdictCells } from "../../../packages/fixtures/dist/VerdictCells.js"

export const id = "P14"
export const promise = "we do not call failure success"
export const run = async ({ note }) => {
  const rows = new Map()
  let many = 0
  const wrong = []
  for (const client of ["claude", "codex", "gemini", "opencode"]) {
    const adapter = Tools.builtIn.get(client)
    for (const { code, exit, expected, output, signal, stderr, stdout } of await verdictCells(client)) {
      const decoder = adapter.decoder()
      const events = stdout.split("\n").flatMap((line) => decoder.line(line))
      events.push(...(decoder.end?.({ exitCode: code ?? -1, stderr }) ?? []))
      const { reason, status } = Verdict.judge({
        tool: client,
        output: adapter.output,
        exitAbove128: adapter.exitAbove128,
        tally: events.reduce(Verdict.tally, Verdict.emptyTally),
        exit: { code, signal },
        ended: "self",
        stderr
      })
      many++
      const seen = reason ?? status
      if (seen !== expected) wrong.push(`${client}, ${output}, exit ${exit}: ${seen}, not ${expected}`)
      const key = `${client}, ${output}`
      rows.set(key, [...(rows.get(key) ?? []), `${exit} ${seen}${seen === expected ? "" : " (!)"}`])
    }
  }
  for (const [name, cells] of rows) note(`${name.padEnd(38)} ${cells.join(" | ")}`)
  for (const line of wrong) note(line)
  return {
    figure: `${wrong.length} of ${many} misjudged`,
    floor: "0 of at least 64",
    ok: wrong.length === 0 && many >= 64
  }
}
