/** The environment variable by which a process is known to be of one attempt, wherever it has gone. */
export const markerVariable = "CONTEXTFS_MARKER"
