/** Stdout and stderr of the process. A reader that has gone away is no error, and nothing is cut off at the end. */

/** Whole lines; dropped once they cannot be written. `onGone` is told, with the error where it is not the reader that has gone. */
export const writer = (stream: NodeJS.WriteStream, onGone?: (error?: Error) => void): ((text: string) => void) => {
  let gone = false
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (gone) return
    gone = true
    onGone?.(error.code === "EPIPE" ? undefined : error)
  })
  return (text) => {
    if (!gone && text !== "") stream.write(text)
  }
}
