/** The tables of the journal. A script is never changed once released. */

const columnsOfFeed = "run_id, job_id, project, agent_id, role, tool, status, attempt, reason, error, at"
const jobFeed = `INSERT INTO events (${columnsOfFeed}) SELECT NEW.run_id, NEW.id, r.project, NEW.agent_id, NEW.role, NEW.tool, NEW.status, NEW.attempts, NEW.reason, NEW.error, NEW.changed_at FROM runs r WHERE r.id = NEW.run_id; END`
const runFeed =
  "INSERT INTO events (run_id, project, status, attempt, at) VALUES (NEW.id, NEW.project, NEW.status, 0, NEW.changed_at); END"

export const migrations: ReadonlyArray<string> = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY, project TEXT NOT NULL, status TEXT NOT NULL, marker TEXT NOT NULL, containment TEXT NOT NULL,
     owner_pid INTEGER NOT NULL, owner_start TEXT, owner_boot TEXT, runtime_dir TEXT NOT NULL,
     created_at INTEGER NOT NULL, ended_at INTEGER
   ) STRICT;
   CREATE INDEX runs_by_project ON runs (project, created_at);
   CREATE TABLE jobs (
     number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_id TEXT NOT NULL REFERENCES runs (id), status TEXT NOT NULL,
     attempts INTEGER NOT NULL DEFAULT 0, spec TEXT NOT NULL, result TEXT, created_at INTEGER NOT NULL, ended_at INTEGER
   ) STRICT;
   CREATE INDEX jobs_by_run ON jobs (run_id, status, number);
   CREATE TABLE attempts (
     job_id TEXT NOT NULL REFERENCES jobs (id), number INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER,
     pid INTEGER, start_time TEXT, boot_id TEXT, reason TEXT, error TEXT,
     PRIMARY KEY (job_id, number)
   ) STRICT, WITHOUT ROWID;`,
  // Leases, waits, parking, requests from other shells, and the feed of changes.
  `ALTER TABLE runs ADD COLUMN settings TEXT NOT NULL DEFAULT '{}';
   ALTER TABLE runs ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE runs ADD COLUMN heartbeat INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN agent_id TEXT NOT NULL DEFAULT '';
   ALTER TABLE jobs ADD COLUMN role TEXT NOT NULL DEFAULT '';
   ALTER TABLE jobs ADD COLUMN tool TEXT NOT NULL DEFAULT '';
   ALTER TABLE jobs ADD COLUMN reason TEXT;
   ALTER TABLE jobs ADD COLUMN error TEXT;
   ALTER TABLE jobs ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN session TEXT;
   ALTER TABLE jobs ADD COLUMN lane TEXT;
   ALTER TABLE jobs ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN lease_owner TEXT;
   ALTER TABLE jobs ADD COLUMN lease_until INTEGER;
   ALTER TABLE jobs ADD COLUMN resumable INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN cancel_wanted INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE jobs ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0;
   UPDATE jobs SET agent_id = coalesce(spec ->> '$.agentId', ''), role = coalesce(spec ->> '$.role', ''),
     tool = coalesce(spec ->> '$.tool', ''), charged = attempts, changed_at = coalesce(ended_at, created_at);
   ALTER TABLE attempts ADD COLUMN charged INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE attempts ADD COLUMN tokens INTEGER;
   ALTER TABLE attempts ADD COLUMN cost_usd REAL;
   DROP INDEX jobs_by_run;
   CREATE INDEX jobs_by_run ON jobs (run_id, status, not_before, number, tool);
   CREATE INDEX jobs_to_cancel ON jobs (run_id) WHERE cancel_wanted = 1;
   CREATE TABLE parked (
     tool TEXT PRIMARY KEY, until INTEGER NOT NULL, since INTEGER NOT NULL, message TEXT NOT NULL, probe TEXT
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE events (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, run_id TEXT NOT NULL, project TEXT NOT NULL,
     job_id TEXT, agent_id TEXT, role TEXT, tool TEXT, status TEXT NOT NULL, attempt INTEGER NOT NULL, reason TEXT,
     error TEXT
   ) STRICT;
   CREATE INDEX events_by_run ON events (run_id, sequence);
   CREATE INDEX events_by_project ON events (project, sequence);
   CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN ${jobFeed};
   CREATE TRIGGER job_changed AFTER UPDATE OF status ON jobs WHEN NEW.status <> OLD.status OR NEW.attempts <> OLD.attempts BEGIN ${jobFeed};
   CREATE TRIGGER run_opened AFTER INSERT ON runs BEGIN ${runFeed};
   CREATE TRIGGER run_changed AFTER UPDATE OF status ON runs WHEN NEW.status <> OLD.status BEGIN ${runFeed};`
]
