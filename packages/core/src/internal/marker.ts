/** The environment variable by which a process is known to be of one attempt, wherever it has gone. */
export const markerVariable = "CONTEXTFS_MARKER"

/**
 * An empty folder beside an agent's output: from its time on we were ending the agent, and what it said may be an echo of
 * that. A folder, because making one follows no link and waits for no FIFO that an agent has put in its place.
 */
export const endingName = "ending"
