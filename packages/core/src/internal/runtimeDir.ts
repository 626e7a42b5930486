/** How the name of a folder begins that holds sockets and temporary files while a process orchestrates. */
export const runtimeDirPrefix = "contextfs-"
