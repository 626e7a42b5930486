/** Scripted jobs, an orchestrating process that is killed again and again, and what the journal says of it afterwards. */
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"
import { makeWork } from "../../lib/work.mjs"
import { start } from "./children.mjs"
import { damage, look } from "./database.mjs"

/** Leaves a word when it starts and, once it has said that it is done, another; both name the job and the attempt. */
const script = (starts, ends, rest) => `#!/bin/sh
of=\${CONTEXTFS_MARKER#*-}
printf '%s\\n' "$of" >>'${starts}'
printf '%s\\n' '{"type":"result","ok":true,"text":"done"}'
printf '%s\\n' "$of" >>'${ends}'
${rest}
`

/** A data folder of its own with a run of `jobs` jobs, and what its agents leave behind. `rest`: what an agent does after its last word. */
export const makeCrash = ({ jobs, workers, memoryEvery = 0, rest = "", containment = "auto" }) => {
  const place = makeWork()
  const dataDir = place.sub("data")
  const directory = place.sub("work")
  const file = (name) => path.join(place.sub("logs"), name)
  const agent = path.join(place.sub("agent"), "agent.sh")
  for (const name of ["starts", "ends"]) writeFileSync(file(name), "")
  writeFileSync(agent, script(file("starts"), file("ends"), rest), { mode: 0o755 })
  const input = {
    workers,
    tool: "quick",
    containment,
    retries: 0,
    tools: { quick: { command: [agent], output: "events" } }
  }
  const common = { dataDir, env: place.env, directory, jobs, memoryEvery }
  /** `claimed` is called with its age, milliseconds, when it has claimed its first job. */
  const begin = (options, claimed = () => undefined) => {
    let said = {}
    const line = (text) => {
      if (text.startsWith("claimed ")) claimed(Number(text.slice(8)))
      else said = JSON.parse(text)
    }
    const child = start("orchestrate", { ...common, ...options }, { env: place.env, line })
    return { ...child, outcome: child.ended.then((code) => ({ code, ...said })) }
  }
  const journal = path.join(dataDir, "orchestrator.db")
  const lines = (name) => readFileSync(file(name), "utf8").split("\n").slice(0, -1)
  return {
    place,
    dataDir,
    input,
    begin,
    lines,
    journal: (use) => look(journal, use),
    runs: () => (existsSync(journal) ? look(journal, (db) => db.prepare("SELECT id, status FROM runs").all()) : []),
    counts: (runId) =>
      look(journal, (db) =>
        Object.fromEntries(
          db
            .prepare("SELECT status, count(*) AS many FROM jobs WHERE run_id = ? GROUP BY status")
            .all(runId)
            .map(({ status, many }) => [status, many])
        )
      ),
    /** What integrity_check finds in either database. */
    damage: () =>
      ["orchestrator.db", "memory.db"].flatMap((name) => {
        const found = existsSync(path.join(dataDir, name)) ? damage(path.join(dataDir, name)) : null
        return found === null ? [] : [`${name}: ${found}`]
      }),
    close: place.close
  }
}

/** `<job>-<attempt>` of a word that an agent left. */
const parse = (line) => {
  const at = line.lastIndexOf("-")
  return [line.slice(0, at), Number(line.slice(at + 1))]
}

/**
 * Holds what the journal says against what the agents have left: jobs that are lost (not completed), that were committed
 * twice, re-runs, those without a reason, attempts that were started after one that had said it was done.
 */
export const audit = (crash, runIds, note) => {
  const sum = { jobs: 0, lost: 0, doubleCommits: 0, reruns: 0, unexplained: 0, startedAfterDone: 0, twice: 0 }
  const done = new Map()
  for (const line of crash.lines("ends")) {
    const [job, attempt] = parse(line)
    done.set(job, Math.min(attempt, done.get(job) ?? Number.POSITIVE_INFINITY))
  }
  const started = new Set()
  for (const line of crash.lines("starts")) {
    const [job, attempt] = parse(line)
    if (started.has(line)) sum.twice++
    started.add(line)
    if (attempt > (done.get(job) ?? Number.POSITIVE_INFINITY)) sum.startedAfterDone++
  }
  crash.journal((db) => {
    for (const runId of runIds) {
      const one = (sql) => Object.values(db.prepare(sql).get(runId))[0]
      sum.jobs += one("SELECT count(*) FROM jobs WHERE run_id = ?")
      sum.lost += one("SELECT count(*) FROM jobs WHERE run_id = ? AND status <> 'completed'")
      const twice = db
        .prepare(
          `SELECT job_id, group_concat(status || ' ' || attempt) AS commits FROM events
           WHERE run_id = ? AND job_id IS NOT NULL AND status IN ('completed', 'failed', 'timeout') GROUP BY job_id HAVING count(*) > 1`
        )
        .all(runId)
      for (const { commits, job_id } of twice) note(`${job_id} was committed as ${commits}`)
      sum.doubleCommits += twice.length
      const unfinished = db
        .prepare("SELECT id, status, reason, error FROM jobs WHERE run_id = ? AND status <> 'completed' LIMIT 10")
        .all(runId)
      for (const job of unfinished) note(`not completed: ${JSON.stringify(job)}`)
      sum.reruns += one("SELECT coalesce(sum(attempts - 1), 0) FROM jobs WHERE run_id = ?")
      sum.unexplained += one(
        `SELECT count(*) FROM attempts a JOIN jobs j ON j.id = a.job_id WHERE j.run_id = ?
         AND (a.ended_at IS NULL OR (a.number < j.attempts AND a.reason IS NULL))`
      )
      // A word of an attempt that the journal does not know.
      const known = new Map(
        db
          .prepare("SELECT id, attempts FROM jobs WHERE run_id = ?")
          .all(runId)
          .map(({ id, attempts }) => [id, attempts])
      )
      for (const line of started) {
        const [job, attempt] = parse(line)
        if (known.has(job) && attempt > known.get(job)) sum.twice++
      }
    }
  })
  return sum
}
