/** What the journal runs for every job, as constant text with named values. */
import type { SqliteDatabase } from "@contextfs/memory/Sqlite"

const jobColumns = "id, run_id, status, attempts, charged, session, resumable, spec, result"
export const selectJobs = `SELECT ${jobColumns} FROM jobs`

const held = `UPDATE jobs SET status = 'running', attempts = attempts + 1, charged = charged + 1, changed_at = @now,
  reason = NULL, error = NULL, lease_owner = @me, lease_until = @until`

/** Of this boot, and not run out. */
const alive = "o.lease_until > @since AND substr(o.lease_owner, 1, length(@boot)) = @boot"

export const make = ({ execute }: Pick<SqliteDatabase, "execute">) => {
  const statement =
    <Name extends string>(text: string) =>
    (values: Readonly<Record<Name, string | number | null>>) =>
      execute(text, values)

  return {
    addJob: statement<"id" | "run" | "spec" | "now" | "agent" | "role" | "tool" | "lane">(
      `INSERT INTO jobs (id, run_id, status, spec, created_at, agent_id, role, tool, changed_at, lane)
       VALUES (@id, @run, 'pending', @spec, @now, @agent, @role, @tool, @now, @lane)`
    ),

    /**
     * Of a tool that is parked nothing is taken before its time, and then one job only, unless that one's process is dead.
     * In a lane an agent waits for those that it has asked for, not they for it.
     */
    claimPending: statement<"run" | "now" | "since" | "until" | "me" | "boot">(
      `${held} WHERE number = (
         SELECT number FROM jobs j WHERE run_id = @run AND status = 'pending' AND not_before <= @since
         AND tool NOT IN (SELECT p.tool FROM parked p WHERE p.until > @now OR EXISTS (
           SELECT 1 FROM jobs o WHERE o.id = p.probe AND o.status = 'running' AND ${alive}))
         AND (lane IS NULL OR NOT EXISTS (SELECT 1 FROM jobs o WHERE o.run_id = @run AND o.status = 'running'
           AND (o.lane = j.lane OR substr(o.lane, 1, length(j.lane) + 1) = j.lane || '/'
             OR substr(j.lane, 1, length(o.lane) + 1) = o.lane || '/')
           AND coalesce(o.spec ->> '$.depth', 0) >= coalesce(j.spec ->> '$.depth', 0)))
         ORDER BY not_before, number LIMIT 1
       ) RETURNING ${jobColumns}`
    ),

    claimLost: statement<"run" | "now" | "since" | "until" | "me" | "boot">(
      `${held} WHERE number = (
         SELECT number FROM jobs o WHERE run_id = @run AND status = 'running' AND lease_owner <> @me AND NOT (${alive})
         ORDER BY number LIMIT 1
       ) RETURNING ${jobColumns}`
    ),

    endLostAttempt: statement<"id" | "attempt" | "now">(
      `UPDATE attempts SET ended_at = @now, reason = 'LeaseLost', error = 'its lease ran out'
       WHERE job_id = @id AND number = @attempt AND ended_at IS NULL`
    ),

    beginAttempt: statement<"id" | "attempt" | "now">(
      "INSERT INTO attempts (job_id, number, started_at) VALUES (@id, @attempt, @now)"
    ),

    probe: statement<"id" | "tool">("UPDATE parked SET probe = @id WHERE tool = @tool RETURNING tool"),

    identifyAttempt: statement<"id" | "attempt" | "pid" | "start" | "boot">(
      `UPDATE attempts SET pid = @pid, start_time = @start, boot_id = @boot
       WHERE job_id = @id AND number = @attempt AND ended_at IS NULL RETURNING number`
    ),

    /** `given_up`: a job that is not at work moves too. `told` is 0 where the session stays as it was. */
    moveJob: statement<
      | "id"
      | "attempt"
      | "to"
      | "result"
      | "ended"
      | "now"
      | "reason"
      | "error"
      | "resumable"
      | "uncharged"
      | "told"
      | "session"
      | "due"
      | "given_up"
    >(
      `UPDATE jobs SET status = @to, result = @result, ended_at = @ended, changed_at = @now, reason = @reason,
       error = @error, resumable = @resumable, charged = charged - @uncharged, not_before = @due,
       session = iif(@told, @session, session), lease_owner = NULL, lease_until = NULL
       WHERE id = @id AND (status = 'running' OR @given_up AND status = 'pending') AND attempts = @attempt RETURNING number`
    ),

    endAttempt: statement<"id" | "attempt" | "now" | "reason" | "error" | "charged" | "tokens" | "cost">(
      `UPDATE attempts SET ended_at = @now, reason = @reason, error = @error, charged = @charged, tokens = @tokens,
       cost_usd = @cost WHERE job_id = @id AND number = @attempt AND ended_at IS NULL`
    )
  }
}
