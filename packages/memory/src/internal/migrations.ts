/** The memory's tables. Scripts are appended, never changed. */
export const migrations: ReadonlyArray<string> = [
  `
  CREATE TABLE memories (
    row INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    summary TEXT,
    content TEXT NOT NULL,
    tags TEXT NOT NULL,
    structured_data TEXT,
    files TEXT NOT NULL,
    authoritative INTEGER NOT NULL,
    project TEXT NOT NULL,
    namespace TEXT NOT NULL,
    trust TEXT NOT NULL,
    source_tool TEXT NOT NULL,
    role TEXT,
    agent_id TEXT,
    run_id TEXT,
    job_id TEXT,
    repo TEXT,
    branch TEXT,
    commit_hash TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    superseded_by TEXT,
    deleted_at INTEGER,
    content_hash BLOB NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX memories_saved_once ON memories (content_hash, project, namespace, type)
    WHERE superseded_by IS NULL AND deleted_at IS NULL;
  CREATE INDEX memories_by_time ON memories (created_at, row);
  CREATE INDEX memories_by_project ON memories (project, created_at, row);
  CREATE INDEX memories_by_run ON memories (run_id, created_at, row) WHERE run_id IS NOT NULL;

  CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) STRICT, WITHOUT ROWID;
  CREATE INDEX tags_by_row ON tags (row);

  -- Weights and meaning of the columns: search.ts. The text itself is in memories only.
  CREATE VIRTUAL TABLE word_index USING fts5 (
    scope, summary, tags, content, parts,
    content = '', contentless_delete = 1, tokenize = 'porter unicode61 remove_diacritics 2'
  );

  CREATE TABLE edges (
    from_id TEXT NOT NULL,
    to_id TEXT NOT NULL,
    relation TEXT NOT NULL,
    weight REAL NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (from_id, to_id, relation)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX edges_by_target ON edges (to_id);

  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    memory_id TEXT NOT NULL,
    project TEXT NOT NULL,
    run_id TEXT,
    job_id TEXT,
    author TEXT NOT NULL
  ) STRICT;
  CREATE INDEX events_by_project ON events (project, sequence);
  CREATE INDEX events_by_run ON events (run_id, sequence) WHERE run_id IS NOT NULL;
  `,
  // What the views of agents' work ask for is in the events, so that an index answers them: who did it in which role, and
  // of the memory its present type and whether it is superseded or deleted.
  `
  ALTER TABLE events ADD COLUMN role TEXT;
  ALTER TABLE events ADD COLUMN type TEXT;
  ALTER TABLE events ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
  UPDATE events SET role = author ->> '$.role', type = m.type,
    hidden = m.superseded_by IS NOT NULL OR m.deleted_at IS NOT NULL
    FROM memories m WHERE m.id = memory_id;
  CREATE INDEX events_by_memory ON events (memory_id, sequence);
  CREATE INDEX events_of_agents ON events (project, sequence) WHERE role IS NOT NULL AND hidden = 0;
  CREATE INDEX events_of_role ON events (project, role, sequence) WHERE role IS NOT NULL AND hidden = 0;
  CREATE INDEX events_of_type ON events (project, type, sequence) WHERE role IS NOT NULL AND hidden = 0;
  `
]
